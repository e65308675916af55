package dir

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"sluice/storage"
)

const (
	workFolder = ".work"
	lockName   = ".lock"
)

// work is the unfinished state of one object: the names it goes by before it has its own.
type work string

// newWork returns a name that no other object has, had or will have. It becomes the ETag.
func newWork() work { return work(rand.Text()) }

func (w work) data() string   { return path.Join(workFolder, string(w)+".data") }
func (w work) commit() string { return path.Join(workFolder, string(w)+".commit") }

// publish gives the content in w.data, which is durable, its key. When it returns the object is durable and visible;
// after an error nothing is left of w.
func (s *Store) publish(ctx context.Context, w work, key string, size int64, o storage.Options) (storage.Info, error) {
	info := storage.Info{
		Key: key, Size: size, Type: o.TypeOrDefault(), Meta: o.Meta, ModTime: time.Now().UTC(), ETag: string(w),
	}
	err := s.writeCommit(w, info)
	if err == nil {
		err = ctx.Err()
	}
	if err != nil {
		return storage.Info{}, errors.Join(err, s.discard(w))
	}
	touched, err := s.rename(w, key)
	if err != nil {
		return storage.Info{}, errors.Join(err, s.discard(w))
	}
	for _, folder := range touched {
		err = errors.Join(err, s.syncFolder(folder))
	}
	return info, err
}

// writeCommit writes down what rename will do. From here on a crash cannot part content and info.
func (s *Store) writeCommit(w work, info storage.Info) error {
	text, err := appendRecord(info)
	if err != nil {
		return err
	}
	file, err := s.root.OpenFile(w.commit(), os.O_WRONLY|os.O_CREATE|os.O_EXCL, fileMode)
	if err != nil {
		return err
	}
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// rename moves content and info of w to key and returns the folders that have changed.
func (s *Store) rename(w work, key string) (touched []string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	touched, err = s.makeFolders(path.Dir(key))
	if err != nil {
		return nil, under(key, err)
	}
	if err := s.root.Rename(w.data(), key); err != nil {
		return nil, under(key, err)
	}
	if err := s.root.Rename(w.commit(), infoName(key)); err != nil {
		// No room in the folder, perhaps. Rather no object than one that is taken for another.
		return nil, errors.Join(err, s.root.Remove(key))
	}
	return append(touched, path.Dir(key)), nil
}

// makeFolders creates folder and those above it, and returns the parents of the new ones.
func (s *Store) makeFolders(folder string) (parents []string, err error) {
	if folder == "." {
		return nil, nil
	}
	err = s.root.Mkdir(folder, folderMode)
	if errors.Is(err, fs.ErrNotExist) {
		parents, err = s.makeFolders(path.Dir(folder))
		if err != nil {
			return parents, err
		}
		err = s.root.Mkdir(folder, folderMode)
	}
	switch {
	case err == nil:
		return append(parents, path.Dir(folder)), nil
	case errors.Is(err, fs.ErrExist):
		return parents, nil
	}
	return parents, err
}

// under names the reason why a key cannot be a file.
func under(key string, err error) error {
	switch {
	case errors.Is(err, syscall.ENOTDIR):
		return &storage.KeyError{Key: key, Reason: "lies under another key"}
	case errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.EEXIST), errors.Is(err, syscall.ENOTEMPTY):
		return &storage.KeyError{Key: key, Reason: "has other keys under it"}
	}
	return err
}

// discard removes what is left of w; the commit first, which would bring it back.
func (s *Store) discard(w work) error {
	var all error
	for _, name := range []string{w.commit(), w.data()} {
		if err := s.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			all = errors.Join(all, err)
		}
	}
	return all
}

// recover finishes the commits that a crash has interrupted and removes everything else in the work folder.
func (s *Store) recover() error {
	folder, err := s.root.Open(workFolder)
	if err != nil {
		return err
	}
	defer folder.Close()
	names, err := folder.Readdirnames(-1)
	if err != nil {
		return err
	}
	for _, name := range names {
		if id, ok := strings.CutSuffix(name, ".commit"); ok {
			if err := s.redo(work(id)); err != nil {
				return err
			}
		}
	}
	for _, name := range names {
		if err := s.root.RemoveAll(path.Join(workFolder, name)); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) redo(w work) error {
	text, err := s.root.ReadFile(w.commit())
	if err != nil {
		return err
	}
	info, err := parseRecord(text)
	if err != nil {
		return nil // cut off by the crash: the commit had not begun
	}
	touched, err := s.renameAgain(w, info.Key)
	for _, folder := range touched {
		err = errors.Join(err, s.syncFolder(folder))
	}
	if err != nil {
		return fmt.Errorf("finish the commit of %s: %w", info.Key, err)
	}
	return nil
}

// renameAgain is rename for a commit that may have got half-way.
func (s *Store) renameAgain(w work, key string) (touched []string, err error) {
	_, err = s.root.Lstat(w.data())
	if err == nil {
		touched, err = s.rename(w, key)
		if refused := (*storage.KeyError)(nil); errors.As(err, &refused) {
			return nil, nil // as Commit would have said
		}
		return touched, err
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return []string{path.Dir(key)}, s.root.Rename(w.commit(), infoName(key))
}
