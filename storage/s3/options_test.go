package s3

import (
	"fmt"
	"strings"
	"testing"
)

func TestAnAddressSaysAllThereIsToKnow(t *testing.T) {
	o, err := ParseURL("https://KEY:S%2Fecret@s3.example.com:9000/media?region=eu-central-1&prefix=a/b&path-style=true" +
		"&part-size=16&max-parts=1000&equal-parts=true")
	if err != nil {
		t.Fatal(err)
	}
	if o.Endpoint != "s3.example.com:9000" || o.Bucket != "media" || o.Region != "eu-central-1" || o.Prefix != "a/b/" ||
		o.AccessKey != "KEY" || o.SecretKey != "S/ecret" || o.PathStyle == nil || !*o.PathStyle || o.Insecure ||
		o.PartBytes != 16<<20 || o.MaxParts != 1000 || !o.EqualParts {
		t.Errorf("ParseURL() = %+v", o)
	}
	o, err = ParseURL("http://localhost:9000/media/")
	if err != nil || !o.Insecure || o.Bucket != "media" || o.Prefix != "" || o.PathStyle != nil {
		t.Errorf("ParseURL() = %+v, %v; want http and the defaults", o, err)
	}
}

func TestABadAddressIsRefusedWithoutTellingIt(t *testing.T) {
	for _, raw := range []string{
		"https://KEY:hunter2@host",
		"https://KEY:hunter2@/bucket",
		"https://KEY:hunter2@host/bucket/folder",
		"https://KEY:hunter2@host/b",
		"s3://KEY:hunter2@host/bucket",
		"KEY:hunter2@host/bucket",
		"https://KEY:hunter2%zz@host/bucket",
		"https://KEY:hunter2@host:port/bucket",
		"https://KEY:hunter2@host/bucket#fragment",
		"https://KEY:hunter2@host/bucket?unknown=1",
		"https://KEY:hunter2@host/bucket?part-size=4",
		"https://KEY:hunter2@host/bucket?part-size=6000",
		"https://KEY:hunter2@host/bucket?part-size=x",
		"https://KEY:hunter2@host/bucket?max-parts=10001",
		"https://KEY:hunter2@host/bucket?max-parts=-1",
		"https://KEY:hunter2@host/bucket?path-style=perhaps",
		"https://KEY:hunter2@host/bucket?prefix=../other",
		"https://KEY:hunter2@host/bucket?prefix=/",
		"https://KEY:hunter2@host/bucket?prefix=" + strings.Repeat("p", 300),
		"https://KEY:hunter2@host/bucket?%zz",
	} {
		_, err := ParseURL(raw)
		if err == nil {
			t.Errorf("ParseURL(%.60q) = nil; want an error", raw)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") {
			t.Errorf("the error tells the secret: %v", err)
		}
	}
}

func TestOptionsPrintNoSecret(t *testing.T) {
	o, err := ParseURL("https://KEY:hunter2@host/bucket?prefix=p")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{fmt.Sprint(o), fmt.Sprintf("%+v", o), o.String(), o.LogValue().String()} {
		if strings.Contains(text, "hunter2") || strings.Contains(text, "KEY") || !strings.Contains(text, "host/bucket") {
			t.Errorf("options print as %q", text)
		}
	}
}

func TestKeysComeFromTheEnvironmentOtherwise(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	o := Options{Endpoint: "localhost", Bucket: "bucket"}
	if _, err := Open(o); err == nil {
		t.Error("Open without keys = nil; want an error")
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "envkey")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "envsecret")
	t.Setenv("AWS_SESSION_TOKEN", "envtoken")
	keys, err := o.keys()
	if err != nil || keys.AccessKeyID != "envkey" || keys.SecretAccessKey != "envsecret" || keys.SessionToken != "envtoken" {
		t.Errorf("keys() = %+v, %v; want those of the environment", keys, err)
	}
}

func FuzzParseURL(f *testing.F) {
	f.Add("https://KEY:SECRET@host:9000/bucket?region=r&prefix=p&path-style=true&part-size=8")
	f.Add("http://h/b")
	f.Fuzz(func(t *testing.T, raw string) {
		o, err := ParseURL(raw)
		if err == nil && (o.check() != nil || o.Bucket == "" || o.Endpoint == "") {
			t.Fatalf("ParseURL(%q) = %+v", raw, o)
		}
	})
}
