package product

import "testing"

// The last panel is filled up with zeros, and so are the rows behind the last row of a
// nibble. An earlier matrix of another size leaves nothing there.
func TestPanelsAreFilledUp(t *testing.T) {
	entry := func(i, j int) float64 { return float64(100 + 10*i + j) }
	var rows, columns Panels
	lines := Lines(16)
	for _, size := range [][2]int{{11, 15}, {6, 9}, {13, 12}, {7, 20}, {3, 3}} {
		n, m := size[0], size[1] // sizes of the panels' matrix
		byRow, byColumn := make([]float64, n*m), make([]float64, n*m)
		for i := range n {
			for j := range m {
				byRow[i*m+j], byColumn[j*n+i] = entry(i, j), entry(i, j)
			}
		}
		rows.View(n, m, m, byRow)
		columns.ViewT(n, m, n, byColumn)
		groups := inOrder[:(n+group-1)/group]
		for q := range rows.Count() {
			for i := range lines {
				lines[i] = Line{99, 99, 99, 99, 99, 99, 99, 99}
			}
			columns.gather(lines[:len(groups)*group], q, groups)
			for i := range len(groups) * group {
				for l := range Lanes {
					want := 0.
					if j := q*Lanes + l; i < n && j < m {
						want = entry(i, j)
					}
					if got := lines[i][l]; got != want {
						t.Errorf("%d×%d, transposed: row %d, column %d of panel %d is %v, want %v", n, m, i, l, q, got, want)
					}
					if i >= n {
						continue
					}
					if got := rows.Panel(q).Line(i)[l]; got != want {
						t.Errorf("%d×%d: row %d, column %d of panel %d is %v, want %v", n, m, i, l, q, got, want)
					}
				}
			}
		}
	}
}
