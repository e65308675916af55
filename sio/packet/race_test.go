//go:build race

package packet

// raceFactor is by how much the race detector slows a program down at most, as its documentation has it.
const raceFactor = 20
