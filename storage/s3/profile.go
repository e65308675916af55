package s3

import (
	"fmt"
	"net"
	"slices"
	"strings"
)

// profile is what is known of a kind of server. What the options say goes before it.
type profile struct {
	name      string
	domain    string // of all its hosts; "": it can be anywhere, and has to be named
	region    string // "": that of the host, the second label of s3.REGION.domain, or what the server says
	pathStyle bool   // the bucket is part of the path, not of the host
	maxParts  int    // of an object
	equal     bool   // all parts but the last are to have the same size
}

var profiles = []profile{
	{name: "aws", domain: "amazonaws.com", maxParts: 10_000},
	{name: "r2", domain: "r2.cloudflarestorage.com", region: "auto", pathStyle: true, maxParts: 10_000, equal: true},
	{name: "scaleway", domain: "scw.cloud", maxParts: 1_000},
	{name: "minio", region: defaultRegion, pathStyle: true, maxParts: 10_000},
	{name: "versitygw", region: defaultRegion, pathStyle: true, maxParts: 10_000},
}

// profile returns what is known of the server; nil if that is nothing.
func (o Options) profile() *profile {
	host := o.Endpoint
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	i := slices.IndexFunc(profiles, func(p profile) bool {
		if o.Profile != "" {
			return p.name == o.Profile
		}
		return p.domain != "" && strings.HasSuffix(host, "."+p.domain)
	})
	if i < 0 {
		return nil
	}
	p := profiles[i]
	if region, ok := strings.CutSuffix(host, "."+p.domain); ok && p.region == "" {
		if region, ok = strings.CutPrefix(region, "s3."); ok && !strings.Contains(region, ".") {
			p.region = region
		}
	}
	return &p
}

func checkProfile(name string) error {
	if name == "" || slices.ContainsFunc(profiles, func(p profile) bool { return p.name == name }) {
		return nil
	}
	names := make([]string, len(profiles))
	for i, p := range profiles {
		names[i] = p.name
	}
	return fmt.Errorf("s3: %q is no profile; there are %s", name, strings.Join(names, ", "))
}
