// Package s3 keeps objects in a bucket of Amazon S3 or of a server that speaks its protocol.
//
//	o, err := s3.ParseURL("https://KEY:SECRET@host:9000/bucket?region=eu-central-1&prefix=sluice")
//	if err != nil {
//		return err
//	}
//	store, err := s3.Open(o)
//
// What fits one part is sent by one request; what is larger by a multipart upload, whose parts leave while the next
// ones are still being written. Every body carries a CRC-64/NVME, without TLS it is signed with its SHA-256, too, and what the server
// holds in the end is compared with what was sent. A request that fails for a passing reason is repeated, which is
// safe: parts and objects replace themselves, and each object carries the name of its commit, so that a lost answer
// can be looked up.
//
// An upload that neither Commit nor Abort has ended, because the process was killed or the server was away, keeps its
// parts on the server and costs money. [Store.Grow] goes on with those that are wanted, and [Store.Sweep] removes the others: call it
// a while after the start and every hour. A lifecycle rule of the bucket (AbortIncompleteMultipartUpload) is the second
// safety: it is to allow more days than any stream lasts, since of a live stream nobody else has what was sent long ago. For the
// same reason no two processes may share a prefix: each sweeps away what it does not know and has stood still for an hour.
//
// See https://docs.aws.amazon.com/AmazonS3/latest/API/.
package s3
