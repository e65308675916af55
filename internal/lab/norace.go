//go:build !race

package lab

// raceDetector says whether this test binary has it.
const raceDetector = false
