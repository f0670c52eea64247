package access

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestACertificateIsKeptUntilItsEndIsNear(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tls")
	get := func(now time.Time, names, asked []string) tls.Certificate {
		t.Helper()
		c, err := Certificate(dir, names, asked, now)
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	names := []string{"lab-pc", "lab-pc.local", "127.0.0.1", "::1", "192.0.2.7"}
	first := get(noon, names, nil)
	for _, name := range names {
		if err := first.Leaf.VerifyHostname(name); err != nil {
			t.Error(err)
		}
	}
	if d := first.Leaf.NotAfter.Sub(noon); d != certificateLasts || first.Leaf.IsCA {
		t.Errorf("it holds for %v, and for others: %t", d, first.Leaf.IsCA)
	}
	info, err := os.Stat(filepath.Join(dir, "key.pem"))
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key is %v, %v: want it for its owner alone", info.Mode(), err)
	}
	again := func(what string, now time.Time, names, asked []string, same bool) {
		t.Helper()
		before := get(noon, nil, nil)
		after := get(now, names, asked)
		if (Fingerprint(after) == Fingerprint(before)) != same {
			t.Errorf("%s: the same certificate: %t, want %t", what, !same, same)
		}
		if string(after.Leaf.RawSubjectPublicKeyInfo) != string(first.Leaf.RawSubjectPublicKeyInfo) {
			t.Errorf("%s: another key", what)
		}
	}
	again("another address", noon, []string{"192.0.2.8"}, nil, true)
	again("a day before the end is near", noon.Add(certificateLasts-renewBefore-24*time.Hour), names, nil, true)
	again("another name that is asked for", noon, append(names, "front.example"), []string{"front.example"}, false)
	again("the name is in it now", noon, names, []string{"front.example"}, true)
	again("near the end", noon.Add(certificateLasts-renewBefore+time.Second), names, nil, false)
	// Cut off between the key and the certificate.
	if err := os.Remove(filepath.Join(dir, "cert.pem")); err != nil {
		t.Fatal(err)
	}
	if c := get(noon, names, nil); string(c.Leaf.RawSubjectPublicKeyInfo) != string(first.Leaf.RawSubjectPublicKeyInfo) {
		t.Error("the key that was there is not used")
	}
	if err := os.WriteFile(filepath.Join(dir, "key.pem"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Certificate(dir, names, nil, noon); err == nil || !strings.Contains(err.Error(), "delete") {
		t.Errorf("a spoilt key: %v", err)
	}
	if f := Fingerprint(first); len(f) != 32*3-1 || strings.Count(f, ":") != 31 {
		t.Errorf("the fingerprint is %q", f)
	}
}
