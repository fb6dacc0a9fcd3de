module github.com/gorbm/rbm/experiments

go 1.24.0

require (
	github.com/gorbm/rbm v0.0.0
	gonum.org/v1/gonum v0.17.0
)

require golang.org/x/sys v0.40.0 // indirect

replace github.com/gorbm/rbm => ../
