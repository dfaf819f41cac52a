package portal

import (
	"archive/zip"
	"bytes"
	"fmt"
	"net/http"
	"path"
	"strings"
	"time"

	"senim/internal/participant"
	"senim/internal/web"
)

// commandFile says in a bundle how its signature is verified.
const commandFile = "verify.txt"

// sendBundle gives a signed document with all that proves it, as one file that is verified without us.
func sendBundle(w http.ResponseWriter, name string, at time.Time, files []participant.File) error {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range append(files[:len(files):len(files)], participant.File{Name: commandFile, Body: []byte(command(files) + "\n")}) {
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
	web.Attach(w, "application/zip", name+".zip")
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("send bundle: %w", err)
	}
	return nil
}

// command is what verifies the first file by the others. The authorities that are trusted are not in the bundle: whoever
// verifies chooses them.
func command(files []participant.File) string {
	words := []string{"senim", "verify", "--trust", "AUTHORITIES"}
	for _, f := range files[1:] {
		flag := map[string]string{".tst": "--timestamp", ".ocsp": "--ocsp", ".crl": "--crl"}[path.Ext(f.Name)]
		if strings.HasPrefix(f.Name, "sums-") {
			flag = "--list"
		}
		if flag != "" {
			words = append(words, flag, f.Name)
		}
	}
	return strings.Join(append(words, files[0].Name), " ")
}
