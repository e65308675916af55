package s3

import (
	"maps"
	"net/http"
	"testing"

	"github.com/minio/minio-go/v7"

	"sluice/internal/lab"
)

// TestObjectsAreAsTheOptionsSay looks at what is asked of the server, of which the one at hand keeps only the tags.
func TestObjectsAreAsTheOptionsSay(t *testing.T) {
	o := connect(t, lab.StartS3(t))
	o.SSE, o.StorageClass, o.Tags = "AES256", "STANDARD_IA", map[string]string{"team": "media/more +1", "cost": "42"}
	var asked []http.Header // of what makes objects
	w := through(t, &o)
	w.look = func(r *http.Request) {
		if kind := what(r); kind == "begin" || kind == "put" {
			asked = append(asked, r.Header.Clone())
		}
	}
	s := open(t, o)
	for key, body := range map[string][]byte{"small": small, "large": large} {
		asked = nil
		mustPut(t, s, key, body)
		want(t, s, key, body)
		if len(asked) != 1 {
			t.Fatalf("%s: %d objects were made; want one", key, len(asked))
		}
		class := ""
		if len(body) >= classBytes {
			class = "STANDARD_IA"
		}
		header := asked[0]
		if header.Get("X-Amz-Server-Side-Encryption") != "AES256" || header.Get("X-Amz-Storage-Class") != class {
			t.Errorf("%s: asked with %v; want AES256 and the class %q", key, header, class)
		}
		tags, err := s.core.GetObjectTagging(t.Context(), o.Bucket, s.name(key), minio.GetObjectTaggingOptions{})
		if err != nil || !maps.Equal(tags.ToMap(), o.Tags) {
			t.Errorf("%s: the tags are %v, %v; want %v", key, tags, err, o.Tags)
		}
	}
}
