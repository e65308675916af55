// Package lab starts the real parts that tests talk to: Node with Socket.IO's own server and clients, a browser, an
// S3 server, and the sluice command itself. Nothing here imitates anything.
//
// Everything ends with the test that began it, and is ended by its process id. What is missing on the machine fails
// the test with the name of the Debian package that has it.
//
//	s := lab.Sluice(t, "--max-upload", "1MiB")
//	lab.Node(t, "upload.js", "SLUICE_URL="+s.URL)
//
// Scripts of Node lie in the folder testdata of the package that runs them. They load the packages that
// node/package.json names by their bare names, wherever they lie.
package lab
