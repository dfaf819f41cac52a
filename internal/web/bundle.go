package web

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"
)

// VerifyFile says in a bundle how its signature is verified.
const VerifyFile = "verify.txt"

// ContentFile is, in a bundle, what a detached signature is over.
const ContentFile = "challenge.txt"

// BundleFile is a file of a bundle.
type BundleFile struct {
	Name string
	Body []byte
}

// SendBundle gives a signed document, the first of the files, with all that proves it, as one file that is verified
// without us.
func SendBundle(w http.ResponseWriter, name string, at time.Time, files []BundleFile) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range append(files[:len(files):len(files)], BundleFile{Name: VerifyFile, Body: []byte(command(files) + "\n")}) {
		to, err := z.CreateHeader(&zip.FileHeader{Name: f.Name, Method: zip.Deflate, Modified: at.UTC()})
		if err == nil {
			_, err = to.Write(f.Body)
		}
		if err != nil {
			return fmt.Errorf("write bundle: %w", err)
		}
	}
	if err := z.Close(); err != nil {
		return fmt.Errorf("write bundle: %w", err)
	}
	Attach(w, "application/zip", name+".zip")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send bundle: %w", err)
	}
	return nil
}

// command is what verifies the first file by the others. The authorities that are trusted are not in the bundle: whoever
// verifies chooses them.
func command(files []BundleFile) string {
	words := []string{"senim", "verify", "--trust", "AUTHORITIES"}
	for _, f := range files[1:] {
		flag := map[string]string{".tst": "--timestamp", ".ocsp": "--ocsp", ".crl": "--crl"}[path.Ext(f.Name)]
		if strings.HasPrefix(f.Name, "sums-") {
			flag = "--list"
		}
		if f.Name == ContentFile {
			flag = "--content"
		}
		if flag != "" {
			words = append(words, flag, f.Name)
		}
	}
	return strings.Join(append(words, files[0].Name), " ")
}
