// Package host starts the servers that a benchmark measures, and measures them: processor time to the nanosecond and memory,
// of a process and all that it started. And it tells what machine this is. All of it is Linux's: elsewhere nothing can be
// started, and the error is errors.ErrUnsupported.
package host
