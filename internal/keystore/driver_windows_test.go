package keystore

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/windows"
)

// TestCheckDriverACL: a file of a person's own is loaded when he chose it, and not when everybody may write into it.
func TestCheckDriverACL(t *testing.T) {
	dir, err := os.MkdirTemp("", "driver") // older Wine deletes no file in the way of TempDir
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	path := filepath.Join(dir, "driver.dll")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	set := func(text string) {
		t.Helper()
		sd, err := windows.SecurityDescriptorFromString(text)
		if err != nil {
			t.Fatal(err)
		}
		acl, _, err := sd.DACL()
		if err == nil {
			err = windows.SetNamedSecurityInfo(path, windows.SE_FILE_OBJECT, windows.DACL_SECURITY_INFORMATION|windows.PROTECTED_DACL_SECURITY_INFORMATION, nil, nil, acl, nil)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	user, err := windows.GetCurrentProcessToken().GetTokenUser()
	if err != nil {
		t.Fatal(err)
	}
	mine := "(A;;FA;;;" + user.User.Sid.String() + ")(A;;FA;;;BA)(A;;FA;;;SY)"
	for acl, want := range map[string]bool{"D:P" + mine + "(A;;0x1200a9;;;WD)": true, "D:P" + mine + "(A;;FA;;;WD)": false} { // Wine keeps of a list what Unix can say: Everybody
		set(acl)
		if firm, err := unchanged(path, true, true); err != nil || firm != want {
			t.Errorf("%s: %v %v", acl, firm, err)
		}
	}
	if _, err := CheckDriver(`\driver.dll`, true); !errors.Is(err, ErrDriverPath) {
		t.Errorf("%v", err)
	}
}
