package main

import (
	"bytes"
	"fmt"
	"go/types"
	"strings"
)

// A lister makes the lines of a package.
type lister struct {
	pkg   *types.Package
	lines []string
}

// exported returns what a package exports, in lines.
func exported(pkg *types.Package) []string {
	l := &lister{pkg: pkg}
	for _, name := range pkg.Scope().Names() {
		obj := pkg.Scope().Lookup(name)
		if !obj.Exported() {
			continue
		}
		switch obj := obj.(type) {
		case *types.Const:
			l.add("const %s %s = %s", name, l.typ(obj.Type()), obj.Val().ExactString())
		case *types.Var:
			l.add("var %s %s", name, l.typ(obj.Type()))
		case *types.Func:
			l.add("func %s%s", name, l.signature(obj))
		case *types.TypeName:
			l.typeName(obj)
		}
	}
	return l.lines
}

func (l *lister) add(format string, a ...any) {
	l.lines = append(l.lines, "pkg "+l.pkg.Path()+", "+fmt.Sprintf(format, a...))
}

// typ returns the name of a type, and lists the packages that it is from.
func (l *lister) typ(t types.Type) string { return types.TypeString(t, l.qualifier) }

func (l *lister) signature(f *types.Func) string {
	var b bytes.Buffer
	types.WriteSignature(&b, f.Signature(), l.qualifier)
	return b.String()
}

func (l *lister) qualifier(pkg *types.Package) string {
	if pkg == l.pkg {
		return ""
	}
	l.add("uses %s", pkg.Path())
	return pkg.Name()
}

func (l *lister) typeName(obj *types.TypeName) {
	name := obj.Name()
	if obj.IsAlias() {
		l.add("type %s = %s", name, l.typ(types.Unalias(obj.Type())))
		return
	}
	named := obj.Type().(*types.Named)
	with := name + l.params(named)
	switch t := named.Underlying().(type) {
	case *types.Struct:
		l.add("type %s struct", with)
		l.fields(name, t, make(map[*types.Struct]bool))
	case *types.Interface:
		l.interfaceType(name, with, t)
		return // its methods are those of the interface
	default:
		l.add("type %s %s", with, l.typ(t))
	}
	l.methods(named)
}

// params returns the type parameters of a type in brackets, if it has some.
func (l *lister) params(named *types.Named) string {
	var list []string
	for p := range named.TypeParams().TypeParams() {
		list = append(list, p.Obj().Name()+" "+l.typ(p.Constraint()))
	}
	if list == nil {
		return ""
	}
	return "[" + strings.Join(list, ", ") + "]"
}

// fields lists the exported fields of a struct, and those that an unexported one, embedded,
// promotes. Those of an exported one are listed with its own type.
func (l *lister) fields(name string, t *types.Struct, seen map[*types.Struct]bool) {
	if seen[t] {
		return
	}
	seen[t] = true
	for i := range t.NumFields() {
		f := t.Field(i)
		embedded, tag := "", ""
		if f.Embedded() {
			embedded = "embedded "
		}
		if t.Tag(i) != "" {
			tag = fmt.Sprintf(" %q", t.Tag(i))
		}
		if f.Exported() {
			l.add("type %s struct, %s%s %s%s", name, embedded, f.Name(), l.typ(f.Type()), tag)
		} else if inner, ok := structOf(f.Type()); ok && f.Embedded() {
			l.fields(name, inner, seen)
		}
	}
}

// structOf returns the struct that t is or points to.
func structOf(t types.Type) (*types.Struct, bool) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	s, ok := t.Underlying().(*types.Struct)
	return s, ok
}

func (l *lister) interfaceType(name, with string, t *types.Interface) {
	if !t.IsMethodSet() { // a constraint
		l.add("type %s %s", with, l.typ(t))
		return
	}
	l.add("type %s interface", with)
	for m := range t.Methods() {
		if m.Exported() {
			l.add("type %s interface, %s%s", name, m.Name(), l.signature(m))
		} else {
			l.add("type %s interface, unexported methods", name)
		}
	}
}

// methods lists the exported methods of a type and of a pointer to it, but for those that an
// exported field, embedded, promotes.
func (l *lister) methods(named *types.Named) {
	values := types.NewMethodSet(named)
	for m := range types.NewMethodSet(types.NewPointer(named)).Methods() {
		f := m.Obj().(*types.Func)
		if !f.Exported() || promotedByExported(named, m.Index()) {
			continue
		}
		star := "*"
		if values.Lookup(f.Pkg(), f.Name()) != nil {
			star = ""
		}
		l.add("method (%s%s) %s%s", star, named.Obj().Name(), f.Name(), l.signature(f))
	}
}

// promotedByExported reports whether a method of t, found along the fields of these indexes,
// goes through a field that is exported.
func promotedByExported(t types.Type, index []int) bool {
	for _, i := range index[:len(index)-1] {
		s, _ := structOf(t)
		if s.Field(i).Exported() {
			return true
		}
		t = s.Field(i).Type()
	}
	return false
}
