package s3

import (
	"fmt"
	"maps"
	"strings"
	"testing"
)

func TestAnAddressSaysAllThereIsToKnow(t *testing.T) {
	o, err := ParseURL("https://KEY:S%2Fecret@s3.example.com:9000/media?region=eu-central-1&prefix=a/b&path-style=true" +
		"&part-size=16&max-parts=1000&equal-parts=true&profile=minio&sse=kms:K1&storage-class=STANDARD_IA&tag=team:media&tag=cost:42")
	if err != nil {
		t.Fatal(err)
	}
	if o.Endpoint != "s3.example.com:9000" || o.Bucket != "media" || o.Region != "eu-central-1" || o.Prefix != "a/b/" ||
		o.AccessKey != "KEY" || o.SecretKey != "S/ecret" || o.PathStyle == nil || !*o.PathStyle || o.Insecure ||
		o.PartBytes != 16<<20 || o.MaxParts != 1000 || !o.EqualParts || o.Profile != "minio" || o.SSE != "kms:K1" ||
		o.StorageClass != "STANDARD_IA" || !maps.Equal(o.Tags, map[string]string{"team": "media", "cost": "42"}) {
		t.Errorf("ParseURL() = %+v", o)
	}
	o, err = ParseURL("http://localhost:9000/media/")
	if err != nil || !o.Insecure || o.Bucket != "media" || o.Prefix != "" || o.PathStyle != nil {
		t.Errorf("ParseURL() = %+v, %v; want http and the defaults", o, err)
	}
}

func TestTheProfileSaysWhatTheServerWants(t *testing.T) {
	for raw, want := range map[string]profile{
		"https://s3.eu-central-1.amazonaws.com/bucket":                {region: "eu-central-1", maxParts: 10_000},
		"https://s3.amazonaws.com/bucket":                             {maxParts: 10_000},
		"https://ab12.r2.cloudflarestorage.com/bucket":                {region: "auto", pathStyle: true, maxParts: 10_000, equal: true},
		"https://s3.fr-par.scw.cloud/bucket":                          {region: "fr-par", maxParts: 1_000},
		"https://s3.fr-par.scw.cloud:443/bucket?max-parts=20":         {region: "fr-par", maxParts: 20},
		"https://media.example.com/bucket?profile=r2":                 {region: "auto", pathStyle: true, maxParts: 10_000, equal: true},
		"https://10.0.0.1:9000/bucket?profile=minio":                  {region: "us-east-1", pathStyle: true, maxParts: 10_000},
		"https://10.0.0.1:7070/bucket?profile=versitygw&region=north": {region: "north", pathStyle: true, maxParts: 10_000},
		"https://s3.fr-par.scw.cloud/bucket?path-style=true":          {region: "fr-par", pathStyle: true, maxParts: 1_000},
	} {
		o, err := ParseURL(raw)
		if err != nil {
			t.Errorf("%s: %v", raw, err)
			continue
		}
		o = o.withDefaults()
		if o.Region != want.region || *o.PathStyle != want.pathStyle || o.MaxParts != want.maxParts || o.EqualParts != want.equal {
			t.Errorf("%s: region %q, path %v, %d parts, equal %v; want %+v", raw, o.Region, *o.PathStyle, o.MaxParts, o.EqualParts, want)
		}
	}
	o, err := ParseURL("https://s3.example.com/bucket")
	if o = o.withDefaults(); err != nil || o.PathStyle != nil || o.MaxParts != defaultMaxParts || o.region() != defaultRegion {
		t.Errorf("of a server of which nothing is known: %+v, %v", o, err)
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
		"https://KEY:hunter2@host/bucket?profile=floppy",
		"https://KEY:hunter2@host/bucket?sse=rot13",
		"https://KEY:hunter2@host/bucket?storage-class=cold%0astore",
		"https://KEY:hunter2@host/bucket?tag=team",
		"https://KEY:hunter2@host/bucket?tag=:media",
		"https://KEY:hunter2@host/bucket?tag=team:%00",
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
