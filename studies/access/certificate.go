package access

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	// certificateLasts is how long a certificate of our own holds, and renewBefore how long
	// before its end another one is made.
	certificateLasts = 365 * 24 * time.Hour
	renewBefore      = 30 * 24 * time.Hour
	// clockSlack is by how much the clock of another computer may be behind ours.
	clockSlack = time.Hour
)

// Certificate returns the certificate of a lab for TLS: the one that is kept in dir, or a
// new one when there is none, when its end is near, or when it does not hold for one of
// the names that were asked for. It is signed by itself, so a browser warns of it once, and
// a person compares its Fingerprint. Its key stays the same. A new one holds for all the
// names, host names and addresses: addresses change, and are no reason for another one.
func Certificate(dir string, names, asked []string, now time.Time) (tls.Certificate, error) {
	certFile, keyFile := filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	c, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err == nil && holds(c.Leaf, asked, now) {
		return c, nil
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return c, fmt.Errorf("the certificate in %s cannot be used: delete that folder, and another one is made: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return c, err
	}
	key, err := keptKey(keyFile)
	if err != nil {
		return c, err
	}
	der, err := sign(key, names, now)
	if err != nil {
		return c, fmt.Errorf("make a certificate: %w", err)
	}
	// It is no secret, and other programs may be told to trust it.
	if err := replace(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644); err != nil {
		return c, err
	}
	return tls.LoadX509KeyPair(certFile, keyFile)
}

// holds tells whether a certificate can be used for a while, and for the names
// that were asked for.
func holds(c *x509.Certificate, asked []string, now time.Time) bool {
	if now.Before(c.NotBefore) || now.Add(renewBefore).After(c.NotAfter) {
		return false
	}
	for _, name := range asked {
		if c.VerifyHostname(name) != nil {
			return false
		}
	}
	return true
}

// keptKey returns the private key of a file, made when there is none.
func keptKey(file string) (*ecdsa.PrivateKey, error) {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return newKey(file)
	}
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, fmt.Errorf("%s holds no private key: delete it, and another one is made", file)
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if ours, ok := key.(*ecdsa.PrivateKey); ok {
		return ours, nil
	}
	return nil, errors.Join(fmt.Errorf("%s holds no private key of ours: delete it, and another one is made", file), err)
}

func newKey(file string) (*ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, replace(file, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), 0o600)
}

// sign makes a certificate for a server with these names.
func sign(key *ecdsa.PrivateKey, names []string, now time.Time) ([]byte, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 120))
	if err != nil {
		return nil, err
	}
	c := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Emolab", Organization: []string{"Emolab"}},
		NotBefore: now.Add(-clockSlack), NotAfter: now.Add(certificateLasts),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			c.IPAddresses = append(c.IPAddresses, ip)
		} else {
			c.DNSNames = append(c.DNSNames, name)
		}
	}
	return x509.CreateCertificate(rand.Reader, c, c, &key.PublicKey, key)
}

// Fingerprint is the SHA-256 of a certificate as browsers show it: "AB:CD:...".
func Fingerprint(c tls.Certificate) string {
	d := sha256.Sum256(c.Certificate[0])
	pairs := make([]string, len(d))
	for i, b := range d {
		pairs[i] = fmt.Sprintf("%02X", b)
	}
	return strings.Join(pairs, ":")
}
