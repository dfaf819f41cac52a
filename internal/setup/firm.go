package setup

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// mostLinks is how many links a path may have, as the kernel counts.
const mostLinks = 40

// firm follows a path of the machine to the place it names, which need not be there yet. What is the machine's is
// written with an administrator's rights, so nothing on the way may be another's to change: a link is followed when the
// administrator made it, and refused when somebody else did; a folder is refused when it is somebody else's or when all
// may write into it; what is there and is no file is refused. Where only administrators change the way, nobody changes
// it between the look and the act.
func (m *Machine) firm(path string) (string, error) {
	if m.OS == "windows" {
		return path, nil // there the machine's own is in the registry
	}
	top := m.path(string(filepath.Separator))
	rest, at := strings.TrimPrefix(filepath.Clean(path), top), top
	for links := 0; ; {
		var name string
		if name, rest, _ = strings.Cut(strings.TrimLeft(rest, "/"), "/"); name == "" {
			return at, nil
		}
		if name == ".." {
			if at != top {
				at = filepath.Dir(at)
			}
			continue
		}
		next := filepath.Join(at, name)
		info, err := os.Lstat(next)
		if errors.Is(err, os.ErrNotExist) {
			return filepath.Join(next, rest), nil
		}
		if err != nil {
			return "", err
		}
		switch kind := info.Mode(); {
		case kind.Type() == os.ModeSymlink:
			if !trusted(info) {
				return "", fmt.Errorf("%s is a link that is not an administrator's: it is not followed", next)
			}
			target, err := os.Readlink(next)
			if err != nil {
				return "", err
			}
			if links++; links > mostLinks {
				return "", fmt.Errorf("%s leads in a circle", path)
			}
			if filepath.IsAbs(target) {
				at = top
			}
			rest = target + "/" + rest
		case kind.IsDir():
			if !trusted(info) || kind.Perm()&0o002 != 0 {
				return "", fmt.Errorf("%s is a folder that others may change: nothing is put there", next)
			}
			at = next
		case !kind.IsRegular() || rest != "":
			return "", fmt.Errorf("%s is neither a file nor a folder", next)
		default:
			return next, nil
		}
	}
}

// read reads a file of the machine by a firm way.
func (m *Machine) read(path string, limit int64) ([]byte, error) {
	at, err := m.firm(path)
	if err != nil {
		return nil, err
	}
	return readLimited(at, limit)
}

// write writes a file of the machine by a firm way. An administrator's link to it stays one.
func (m *Machine) write(path string, content []byte) error {
	at, err := m.firm(path)
	if err != nil {
		return err
	}
	return replace(at, content, 0o644)
}

// unlink deletes a file of the machine, and of a link the link.
func (m *Machine) unlink(path string) error {
	dir, err := m.firm(filepath.Dir(path))
	if err != nil {
		return err
	}
	if err := os.Remove(filepath.Join(dir, filepath.Base(path))); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// ErrOthersHome says that an administrator was about to write into the home of another person.
var ErrOthersHome = errors.New("this is another person's home: what is that person's own is put by that person, without sudo")

// OwnHome tells whether the person's own parts may be put and taken away by who runs this. An administrator has rights
// that whoever owns the home could lead elsewhere by a link.
func (m *Machine) OwnHome() error {
	info, err := os.Stat(m.Home)
	if err != nil {
		return fmt.Errorf("look at the home folder: %w", err)
	}
	if !trusted(info) {
		return ErrOthersHome
	}
	return nil
}
