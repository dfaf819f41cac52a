package keystore

import (
	"unsafe"

	"golang.org/x/sys/windows"
)

// Who may change a driver: administrators, the system, and the installer of Windows' own files.
var administrators = []string{"S-1-5-32-544", "S-1-5-18", "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"}

// Rights by which a file, or what a folder has, can become another. To make new folders beside, as everybody may on a disk, is
// none of them.
const (
	changesFile   = windows.FILE_WRITE_DATA | windows.FILE_APPEND_DATA | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_WRITE | windows.GENERIC_ALL
	changesFolder = 0x40 /* FILE_DELETE_CHILD */ | windows.DELETE | windows.WRITE_DAC | windows.WRITE_OWNER | windows.GENERIC_ALL
)

// unchanged tells whether only administrators, or with own who runs this, can change a file or put another one into a folder.
func unchanged(path string, file, own bool) (bool, error) {
	sd, err := windows.GetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.OWNER_SECURITY_INFORMATION|windows.DACL_SECURITY_INFORMATION)
	if err != nil {
		return false, err
	}
	trusted := map[string]bool{}
	for _, sid := range administrators {
		trusted[sid] = true
	}
	if own {
		user, err := windows.GetCurrentProcessToken().GetTokenUser()
		if err != nil {
			return false, err
		}
		trusted[user.User.Sid.String()] = true
	}
	owner, _, err := sd.Owner()
	if err != nil {
		return false, err
	}
	acl, _, err := sd.DACL()
	if err != nil || acl == nil || !trusted[owner.String()] { // without a list everybody may
		return false, err
	}
	rights := windows.ACCESS_MASK(changesFolder)
	if file {
		rights = changesFile
	}
	for i := range uint32(acl.AceCount) {
		var ace *windows.ACCESS_ALLOWED_ACE
		if err := windows.GetAce(acl, i, &ace); err != nil {
			return false, err
		}
		if ace.Header.AceType != windows.ACCESS_ALLOWED_ACE_TYPE || ace.Header.AceFlags&windows.INHERIT_ONLY_ACE != 0 || ace.Mask&rights == 0 {
			continue
		}
		if !trusted[(*windows.SID)(unsafe.Pointer(&ace.SidStart)).String()] { //nolint:gosec // the identifier lies there
			return false, nil
		}
	}
	return true, nil
}
