//go:build !unix

package s3

func mapBytes(n int) ([]byte, error) { return make([]byte, n), nil }

func unmapBytes([]byte) error { return nil }
