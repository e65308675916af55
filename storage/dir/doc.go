// Package dir keeps objects as plain files below one folder: the content of the key media/a.webm is the file
// media/a.webm, so that it can be looked at, copied and sent by the kernel.
//
// What else is known of an object stands beside it in .a.webm.info. The two change together: a commit first writes a
// record of what it is going to do into .work, and [Open] finishes what a crash has interrupted and removes what was
// never committed. A file without its .info is not an object.
//
//	.lock                 held by the one process that has the store open
//	.work/ID.data         content that is being written
//	.work/ID.commit       complete: the content goes to its key, this file becomes the .info
//	media/a.webm          content
//	media/.a.webm.info    its size, type and metadata, as JSON
//
// The folder must be on a file system that journals renames in order (ext4, xfs, btrfs, zfs, tmpfs).
package dir
