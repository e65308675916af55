package dir

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"

	"sluice/storage"
)

// pageNames bounds how many names of one folder are held at once while listing. A folder with more is read again for
// every page.
const pageNames = 16 << 10

// List implements storage.Store.
func (s *Store) List(ctx context.Context, prefix, after string, fn func(storage.Info) error) error {
	if err := errors.Join(storage.CheckPrefix(prefix), ctx.Err()); err != nil {
		return err
	}
	l := &lister{store: s, ctx: ctx, prefix: prefix, after: after, page: pageNames, fn: fn}
	folder, _ := path.Split(prefix)
	return l.folder(folder)
}

// lister walks the folders in the order of their keys.
type lister struct {
	store         *Store
	ctx           context.Context
	prefix, after string
	page          int
	fn            func(storage.Info) error
}

// folder lists what is in a folder. Its name is empty or ends with a slash, and so do those of the folders in it: that
// makes the order of names the order of keys.
func (l *lister) folder(folder string) error {
	last := ""
	for {
		names, err := l.names(folder, last)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := l.visit(name); err != nil {
				return err
			}
		}
		if len(names) < l.page {
			return nil
		}
		last = names[len(names)-1]
	}
}

func (l *lister) visit(name string) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	if strings.HasSuffix(name, "/") {
		return l.folder(name)
	}
	info, err := l.store.stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil // no object, or not any more
	case errors.Is(err, storage.ErrCorrupt):
		return l.fn(storage.Info{Key: name}) // one bad object must not hide those behind it
	case err != nil:
		return err
	}
	return l.fn(info)
}

// names returns the first names of a folder that sort after last, at most a page.
func (l *lister) names(folder, last string) ([]string, error) {
	file, err := l.store.root.Open(path.Clean(folder))
	if isMissing(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer file.Close()
	var names []string
	for {
		entries, err := file.ReadDir(1024)
		for _, entry := range entries {
			if name, ok := l.wanted(folder, entry); ok && name > last {
				names = append(names, name)
			}
		}
		if len(names) >= 2*l.page || err != nil {
			slices.Sort(names)
			names = names[:min(len(names), l.page)]
		}
		switch {
		case errors.Is(err, io.EOF), isMissing(err):
			return names, nil
		case err != nil:
			return nil, err
		}
	}
}

// wanted returns the key of an entry, or the common beginning of the keys in it, and whether it is to be visited.
func (l *lister) wanted(folder string, entry os.DirEntry) (name string, ok bool) {
	name = folder + entry.Name()
	switch {
	case strings.HasPrefix(entry.Name(), "."):
		return "", false
	case entry.IsDir():
		name += "/"
		inside := strings.HasPrefix(name, l.prefix) || strings.HasPrefix(l.prefix, name)
		return name, inside && (name > l.after || strings.HasPrefix(l.after, name))
	}
	return name, strings.HasPrefix(name, l.prefix) && name > l.after
}
