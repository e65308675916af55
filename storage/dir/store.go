package dir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"sync"
	"syscall"

	"sluice/storage"
)

const (
	folderMode = 0o700
	fileMode   = 0o600
)

// ErrInUse says that another Store, perhaps of another process, has the folder open.
var ErrInUse = errors.New("the folder is in use by another process")

// Store keeps objects below a folder. It implements storage.Store and storage.Adopter.
type Store struct {
	path string   // of the folder, absolute
	root *os.Root // every name is resolved below it, whatever symbolic links say
	lock *os.File

	// mu is held while the names of an object change, and shared while they are looked up, so that nobody meets the
	// content of one commit with the info of another. Nothing is written or synced under it.
	mu sync.RWMutex
}

var (
	_ storage.Store   = (*Store)(nil)
	_ storage.Adopter = (*Store)(nil)
)

// Open opens the store in the folder, which is created if need be, and brings it in order. A folder can be open once:
// else the error is ErrInUse.
func Open(folder string) (*Store, error) {
	folder, err := filepath.Abs(folder)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(folder, folderMode); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(folder)
	if err != nil {
		return nil, err
	}
	s := &Store{path: folder, root: root}
	if err := s.prepare(); err != nil {
		return nil, errors.Join(fmt.Errorf("store %s: %w", folder, err), s.Close())
	}
	return s, nil
}

func (s *Store) prepare() error {
	if err := s.acquire(); err != nil {
		return err
	}
	if err := s.root.Mkdir(workFolder, folderMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.recover()
}

func (s *Store) acquire() error {
	lock, err := s.root.OpenFile(lockName, os.O_CREATE|os.O_RDWR, fileMode)
	if err != nil {
		return err
	}
	s.lock = lock
	err = syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	if errors.Is(err, syscall.EWOULDBLOCK) {
		return ErrInUse
	}
	return err
}

// Close lets go of the folder. Readers that are open stay usable.
func (s *Store) Close() error {
	err := s.root.Close()
	if s.lock != nil {
		err = errors.Join(err, s.lock.Close())
	}
	return err
}

// Open implements storage.Store. The reader is a storage.Filer.
func (s *Store) Open(ctx context.Context, key string, offset, length int64) (io.ReadCloser, storage.Info, error) {
	if err := check(ctx, key); err != nil {
		return nil, storage.Info{}, err
	}
	file, info, err := s.lookUp(key)
	if err != nil {
		return nil, storage.Info{}, err
	}
	r, err := newReader(ctx, file, info, offset, length)
	if err != nil {
		return nil, info, errors.Join(err, file.Close())
	}
	return r, info, nil
}

// Stat implements storage.Store.
func (s *Store) Stat(ctx context.Context, key string) (storage.Info, error) {
	if err := check(ctx, key); err != nil {
		return storage.Info{}, err
	}
	return s.stat(key)
}

func (s *Store) stat(key string) (storage.Info, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	info, err := s.readInfo(key)
	if err != nil {
		return storage.Info{}, err
	}
	found, err := s.root.Lstat(key)
	if err != nil {
		return storage.Info{}, missing(key, err)
	}
	return info, verify(info, found)
}

// lookUp opens the content of key together with the info that belongs to it.
func (s *Store) lookUp(key string) (*os.File, storage.Info, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	info, err := s.readInfo(key)
	if err != nil {
		return nil, storage.Info{}, err
	}
	// O_NONBLOCK: a pipe that somebody has put here is refused below instead of waited for.
	file, err := s.root.OpenFile(key, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, storage.Info{}, missing(key, err)
	}
	found, err := file.Stat()
	if err == nil {
		err = verify(info, found)
	}
	if err != nil {
		return nil, storage.Info{}, errors.Join(err, file.Close())
	}
	return file, info, nil
}

// verify compares what was committed with what is there.
func verify(info storage.Info, found fs.FileInfo) error {
	switch {
	case !found.Mode().IsRegular():
		return notExist(info.Key)
	case found.Size() != info.Size:
		return fmt.Errorf("%s: the file has %d bytes, committed were %d: %w", info.Key, found.Size(), info.Size,
			storage.ErrCorrupt)
	}
	return nil
}

// Delete implements storage.Store. Folders that become empty go with the object.
func (s *Store) Delete(ctx context.Context, key string) error {
	if err := check(ctx, key); err != nil {
		return err
	}
	parent, err := s.remove(key)
	if err != nil || parent == "" {
		return err
	}
	return s.syncFolder(parent)
}

// remove takes the names of key away and returns the innermost folder that is left of its path, "" if key held
// nothing.
func (s *Store) remove(key string) (parent string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if found, err := s.root.Lstat(key); err == nil && found.IsDir() {
		return "", nil
	}
	// The content goes first: what a crash leaves is a small file that nobody sees.
	err = s.root.Remove(key)
	infoErr := s.root.Remove(infoName(key))
	if isMissing(err) && isMissing(infoErr) {
		return "", nil
	}
	for _, err := range []error{err, infoErr} {
		if err != nil && !isMissing(err) {
			return "", err
		}
	}
	parent = path.Dir(key)
	for parent != "." && s.root.Remove(parent) == nil {
		parent = path.Dir(parent)
	}
	return parent, nil
}

func (s *Store) syncFolder(name string) error {
	folder, err := s.root.Open(name)
	if isMissing(err) {
		return nil // gone meanwhile, with all that was in it
	}
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

func check(ctx context.Context, key string) error {
	if err := storage.CheckKey(key); err != nil {
		return err
	}
	return ctx.Err()
}

// isMissing also takes a path that leads through a file for one that leads nowhere.
func isMissing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)
}

func missing(key string, err error) error {
	if isMissing(err) {
		return notExist(key)
	}
	return err
}

func notExist(key string) error { return &fs.PathError{Op: "open", Path: key, Err: fs.ErrNotExist} }
