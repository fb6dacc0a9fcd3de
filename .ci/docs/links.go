package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

// A tree has the files of the repository, by their paths from its root with slashes, and the folders that they are in.
type tree struct {
	root    string
	files   map[string]bool
	folders map[string]bool
	pages   map[string]*page
}

func newTree(root string, files []string) *tree {
	t := &tree{root, map[string]bool{}, map[string]bool{".": true}, map[string]*page{}}
	for _, file := range files {
		t.files[file] = true
		for dir := path.Dir(file); !t.folders[dir]; dir = path.Dir(dir) {
			t.folders[dir] = true
		}
	}
	return t
}

func (t *tree) read(file string) (string, error) {
	b, err := os.ReadFile(filepath.Join(t.root, filepath.FromSlash(file)))
	return string(b), err
}

var lineOfCode = regexp.MustCompile(`^L([0-9]+)(?:-L([0-9]+))?$`)

// checkLinks finds links of a page that lead nowhere in the tree. It returns those that lead to the web.
func (t *tree) checkLinks(p *page) (web []link, faults []fault) {
	for _, l := range p.links {
		u, err := url.Parse(l.to)
		switch {
		case err != nil:
			faults = append(faults, fault{p.path, l.line, fmt.Sprintf("link %q: %v", l.to, err)})
		case u.Scheme == "https" && u.Host != "":
			web = append(web, l)
		case u.Scheme != "" || u.Host != "":
			faults = append(faults, fault{p.path, l.line, fmt.Sprintf("link %q: want https or a relative path", l.to)})
		default:
			if reason := t.leadsNowhere(p, u); reason != "" {
				faults = append(faults, fault{p.path, l.line, fmt.Sprintf("link %q: %s", l.to, reason)})
			}
		}
	}
	return web, faults
}

// leadsNowhere says why a relative link of a page leads nowhere, if so. The case of letters counts.
func (t *tree) leadsNowhere(p *page, u *url.URL) string {
	file := p.path
	if u.Path != "" {
		if strings.HasPrefix(u.Path, "/") {
			return "want a relative path"
		}
		file = path.Join(path.Dir(p.path), u.Path)
	}
	if !t.files[file] && !t.folders[file] {
		return "there is no file or folder " + file
	}
	if u.Fragment == "" {
		if strings.HasSuffix(u.String(), "#") || u.Path == "" {
			return "it has no anchor"
		}
		return ""
	}
	if t.folders[file] {
		file = path.Join(file, "README.md")
	}
	if to := t.pages[file]; to != nil {
		if !to.anchors[u.Fragment] {
			return file + " has no heading with this anchor"
		}
		return ""
	}
	m := lineOfCode.FindStringSubmatch(u.Fragment)
	text, err := t.read(file)
	if m == nil || err != nil {
		return file + " has no anchors"
	}
	for _, n := range m[1:] {
		if k, _ := strconv.Atoi(n); n != "" && (k < 1 || k > strings.Count(text, "\n")) {
			return file + " has no line " + n
		}
	}
	return ""
}

// An answer is what came of asking for an address of the web.
type answer struct {
	status int
	err    error
}

// gone reports whether nothing is there.
func (a answer) gone() bool {
	var dns *net.DNSError
	return a.status == http.StatusNotFound || a.status == http.StatusGone || errors.As(a.err, &dns) && dns.IsNotFound
}

// ask asks for each address, by HEAD and where that fails by GET.
func ask(ctx context.Context, client *http.Client, addresses []string) map[string]answer {
	answers := map[string]answer{}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, address := range addresses {
		wg.Add(1)
		go func() {
			defer wg.Done()
			var a answer
			for _, method := range []string{http.MethodHead, http.MethodGet} {
				if a = request(ctx, client, method, address); a.err == nil && a.status < 400 {
					break
				}
			}
			mu.Lock()
			defer mu.Unlock()
			answers[address] = a
		}()
	}
	wg.Wait()
	return answers
}

func request(ctx context.Context, client *http.Client, method, address string) answer {
	req, err := http.NewRequestWithContext(ctx, method, address, nil)
	if err != nil {
		return answer{err: err}
	}
	req.Header.Set("User-Agent", "Mozilla/5.0 (compatible; a check of links)")
	res, err := client.Do(req)
	if err != nil {
		return answer{err: err}
	}
	res.Body.Close()
	return answer{status: res.StatusCode}
}

// checkWeb asks for links to the web, by the paths of pages. It says what is gone: 404, 410, and hosts without a name. What
// else fails may be a matter of the moment, or of who asks, and is a remark. If no host can be reached at all, nothing is
// known, and it says so.
func checkWeb(ctx context.Context, client *http.Client, links map[string][]link) (remarks []string, faults []fault) {
	var addresses []string
	seen := map[string]bool{}
	for _, list := range links {
		for _, l := range list {
			if a, _, _ := strings.Cut(l.to, "#"); !seen[a] {
				seen[a] = true
				addresses = append(addresses, a)
			}
		}
	}
	answers := ask(ctx, client, addresses)
	reached := false
	for _, a := range answers {
		reached = reached || a.err == nil
	}
	if !reached && len(addresses) > 0 {
		return []string{"SKIPPED: links to the web, of which no host can be reached"}, nil
	}
	for page, list := range links {
		for _, l := range list {
			address, _, _ := strings.Cut(l.to, "#")
			a := answers[address]
			what := fmt.Sprintf("link %s: status %d", l.to, a.status)
			if a.err != nil {
				what = fmt.Sprintf("link %s: %v", l.to, a.err)
			}
			if f := (fault{page, l.line, what}); a.gone() {
				faults = append(faults, f)
			} else if a.err != nil || a.status >= 400 {
				remarks = append(remarks, f.String()+" (not counted)")
			}
		}
	}
	return remarks, faults
}
