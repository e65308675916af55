package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
)

// maxSameNames bounds the files of one name in a folder.
const maxSameNames = 10_000

// folder is where streams are saved. No name leads out of it, nor does a symbolic link in it.
type folder struct{ root *os.Root }

// openFolder opens a folder, which is made if it is not there.
func openFolder(path string) (*folder, error) {
	if err := os.MkdirAll(path, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	return &folder{root}, nil
}

// close lets go of the folder. A nil folder has nothing to let go of.
func (f *folder) close() {
	if f != nil {
		_ = f.root.Close() // nothing is written by it
	}
}

// create begins a file, which is seen under its name only once it is kept.
func (f *folder) create() (*saving, error) {
	temp := ".sluice-" + rand.Text() + ".part"
	file, err := f.root.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	return &saving{folder: f, file: file, temp: temp}, nil
}

// saving is a file that is being written. Keep it or discard it.
type saving struct {
	folder *folder
	file   *os.File
	temp   string
}

func (s *saving) Write(p []byte) (int, error) { return s.file.Write(p) }

// restart throws away what was written.
func (s *saving) restart() error {
	if _, err := s.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	return s.file.Truncate(0)
}

// keep gives the file its name, or, if that is taken, the first free one numbered, and returns it.
func (s *saving) keep(name string) (string, error) {
	if err := s.settle(); err != nil {
		return "", err
	}
	for n := 1; n <= maxSameNames; n++ {
		free := numbered(name, n)
		// Taken before it is renamed to, so that of two who want the same name each gets one.
		place, err := s.folder.root.OpenFile(free, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err == nil {
			err = errors.Join(place.Close(), s.folder.root.Rename(s.temp, free))
		}
		if err != nil {
			s.remove()
		}
		return free, err
	}
	s.remove()
	return "", fmt.Errorf("%d files are called %s", maxSameNames, name)
}

// replace gives the file its name, in place of any that had it.
func (s *saving) replace(name string) error {
	if err := s.settle(); err != nil {
		return err
	}
	err := s.folder.root.Rename(s.temp, name)
	if err != nil {
		s.remove()
	}
	return err
}

// settle makes what was written durable.
func (s *saving) settle() error {
	err := errors.Join(s.file.Sync(), s.file.Close())
	if err != nil {
		s.remove()
	}
	return err
}

// discard removes the file.
func (s *saving) discard() {
	_ = s.file.Close() // it is not wanted any more
	s.remove()
}

func (s *saving) remove() {
	_ = s.folder.root.Remove(s.temp) // hidden, and in nobody's way
}
