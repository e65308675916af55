// Package storage says what a place for finished objects must do: keep bytes under a key, all or nothing, and give
// them back whole or in part.
//
// An object appears under its key when [Writer.Commit] returns and not before; a reader sees one object whole, never
// a mixture of two. What was committed survives a crash of the process and of the machine, as far as the place behind
// the store keeps its own promises. There are no folders, no locks and no appending.
//
//	w, err := store.Create(ctx, "media/2026/01/31/01KG9.webm", storage.Options{Type: "video/webm", Size: -1})
//	if err != nil {
//		return err
//	}
//	defer w.Abort() // does nothing after Commit
//	if _, err := io.Copy(w, src); err != nil {
//		return err
//	}
//	info, err := w.Commit(ctx)
//
// Keys are a common ground of file systems and object stores: see [CheckKey]. Metadata is a few small strings: see
// [Options.Check].
//
// Package storage/dir keeps objects as files, package storage/s3 in a bucket, and package storage/storagetest is the
// suite that every Store passes.
package storage
