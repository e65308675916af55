package browser

import (
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"path"
	"strings"
	"sync"

	"sluice/internal/static"
)

// FS holds our client as it is served: socket.io.js and socket.io.esm.js.
var FS fs.FS = dist{}

//
//go:generate go test -run ^TestWhatIsServedIsMadeFromTheModules$ -update
//go:embed dist/*.js
var embedded embed.FS

// dist is the folder of that name.
type dist struct{}

func (dist) Open(name string) (fs.File, error) { return embedded.Open(path.Join("dist", name)) }

// MaxFileBytes is the size up to which a file of a client is served.
const MaxFileBytes = 4 << 20

// names of the files that are served: those of Socket.IO's own client, which has some of them, and ours.
var names = func() map[string]bool {
	names := make(map[string]bool)
	for _, build := range []string{"", ".esm", ".msgpack"} {
		for _, end := range []string{".js", ".js.map", ".min.js", ".min.js.map"} {
			names["socket.io"+build+end] = true
		}
	}
	return names
}()

// Client finds the files of a client. Each is read and compressed when it is first asked for, and kept.
type Client struct {
	FS fs.FS // npm's socket.io-client/dist, for one; nil means ours. It must not change after the first call

	mu    sync.Mutex
	files map[string]*static.File // guarded by mu; nil for those that are not there
}

// Find returns what serves the file that a request path names, whatever the directory, and nil where there is none of that
// name. Where only a minified form is there, or only one that is not, it goes by both names. Find fails with what keeps it from
// reading a file that is there, and tries again the next time.
func (c *Client) Find(urlPath string) (http.Handler, error) {
	name := path.Base(urlPath)
	if !names[name] {
		return nil, nil
	}
	file, err := c.file(name)
	if file == nil {
		return nil, err
	}
	return file, nil
}

func (c *Client) file(name string) (*static.File, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if file, known := c.files[name]; known {
		return file, nil
	}
	fsys := c.FS
	if fsys == nil {
		fsys = FS
	}
	data, err := read(fsys, name)
	if errors.Is(err, fs.ErrNotExist) {
		data, err = read(fsys, otherForm(name))
	}
	var file *static.File
	switch {
	case err == nil:
		file = static.NewFile(contentType(name), data)
	case !errors.Is(err, fs.ErrNotExist):
		return nil, err
	}
	if c.files == nil {
		c.files = make(map[string]*static.File)
	}
	c.files[name] = file
	return file, nil
}

// otherForm is the name of the minified form of a file, or of the one that is not minified.
func otherForm(name string) string {
	if strings.Contains(name, ".min.js") {
		return strings.Replace(name, ".min.js", ".js", 1)
	}
	return strings.Replace(name, ".js", ".min.js", 1)
}

func contentType(name string) string {
	if strings.HasSuffix(name, ".map") {
		return "application/json"
	}
	return "text/javascript; charset=utf-8"
}

func read(fsys fs.FS, name string) ([]byte, error) {
	info, err := fs.Stat(fsys, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() { // a pipe would be waited for
		return nil, fmt.Errorf("%s is not a file", name)
	}
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxFileBytes+1))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	if len(data) > MaxFileBytes {
		return nil, fmt.Errorf("%s is larger than %d bytes", name, MaxFileBytes)
	}
	return data, nil
}
