package main

import "syscall"

// processor returns the name of the CPU, or "".
func processor() string {
	name, _ := syscall.Sysctl("machdep.cpu.brand_string")
	return name
}
