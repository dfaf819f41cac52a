package keystore

import (
	"crypto/rand"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"unsafe"

	"golang.org/x/sys/windows"
)

// createNew makes a file that must not exist. Windows knows of a mode only "read-only": a file that is for the person alone is
// made with a list of who may do what.
func createNew(path string, mode fs.FileMode) (*os.File, error) {
	if mode&0o077 != 0 {
		return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	}
	return createOwn(path, windows.GENERIC_WRITE, windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE, windows.FILE_ATTRIBUTE_NORMAL)
}

// Nameless makes a file in a folder that is gone when it is closed, also by a kill. Windows knows none without a name; what
// has this one is for the person alone.
func Nameless(dir string) (*os.File, error) {
	return createOwn(filepath.Join(dir, ".large-"+rand.Text()), windows.GENERIC_READ|windows.GENERIC_WRITE|windows.DELETE,
		windows.FILE_SHARE_READ|windows.FILE_SHARE_WRITE|windows.FILE_SHARE_DELETE, windows.FILE_ATTRIBUTE_TEMPORARY|windows.FILE_FLAG_DELETE_ON_CLOSE)
}

// createOwn makes a file that must not exist, for the person alone: it takes nothing over from what the folder says. A
// volume that keeps no lists of who may do what, as a stick, makes it without.
func createOwn(path string, access, share, attributes uint32) (*os.File, error) {
	name, err := windows.UTF16PtrFromString(long(path))
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: err}
	}
	only, err := onlyThePersons("")
	if err != nil {
		return nil, err
	}
	handle, err := windows.CreateFile(name, access, share, only, windows.CREATE_NEW, attributes, 0)
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: err}
	}
	return os.NewFile(uintptr(handle), path), nil
}

// makePrivate makes one folder for the person alone, with all that will be made in it.
func makePrivate(dir string) error {
	name, err := windows.UTF16PtrFromString(long(dir))
	if err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	only, err := onlyThePersons("OICI")
	if err != nil {
		return err
	}
	if err := windows.CreateDirectory(name, only); err != nil {
		return &fs.PathError{Op: "mkdir", Path: dir, Err: err}
	}
	return nil
}

// onlyThePersons lets the person, the system and its administrators at what is made, and nobody whom the folder above lets.
func onlyThePersons(inherited string) (*windows.SecurityAttributes, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return nil, fmt.Errorf("tell who runs this: %w", err)
	}
	list := "D:P"
	for _, who := range []string{user.User.Sid.String(), "SY", "BA"} {
		list += "(A;" + inherited + ";FA;;;" + who + ")"
	}
	descriptor, err := windows.SecurityDescriptorFromString(list)
	if err != nil {
		return nil, fmt.Errorf("say who may read a file: %w", err)
	}
	a := &windows.SecurityAttributes{SecurityDescriptor: descriptor}
	a.Length = uint32(unsafe.Sizeof(*a))
	return a, nil
}

// Private tells whether nobody but the person, and the system's administrators, may read a file or folder. Where the
// volume keeps no lists everybody may.
func Private(path string) (bool, error) {
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		return false, err
	}
	descriptor, err := windows.GetNamedSecurityInfo(long(path), windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, err
	}
	list, _, err := descriptor.DACL()
	if err != nil || list == nil { // no list lets everybody in
		return false, err
	}
	// The last two are placeholders: of whoever owns the file.
	among := []string{user.User.Sid.String(), "S-1-5-18", "S-1-5-32-544", "S-1-3-4", "S-1-3-0"}
	for i := range uint32(list.AceCount) {
		var entry *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(list, i, &entry); err != nil {
			return false, err
		}
		switch entry.Header.AceType {
		case windows.ACCESS_DENIED_ACE_TYPE:
		case windows.ACCESS_ALLOWED_ACE_TYPE:
			who := (*windows.SID)(unsafe.Pointer(&entry.SidStart)) //nolint:gosec // the identifier begins there
			if entry.Mask != 0 && !slices.Contains(among, who.String()) {
				return false, nil
			}
		default:
			return false, nil // cannot tell
		}
	}
	return true, nil
}
