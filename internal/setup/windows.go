package setup

import "errors"

// Registry is what of Windows' registry is read and written. A key is named as people know it: HKCU\… or HKLM\….
type Registry interface {
	// Values gives the texts of a key by their names; none when there is no such key.
	Values(key string) (map[string]string, error)
	// Number gives one number of a key, and whether it is there.
	Number(key, name string) (n uint64, there bool, err error)
	// Set writes a text, and makes the key when it is not there.
	Set(key, name, text string) error
	// Unset takes a value away; none is no error.
	Unset(key, name string) error
	// DropEmpty takes a key away that has no values and no keys in it.
	DropEmpty(key string) error
}

// Roots is the person's store of roots on Windows, in which Windows shows the machine's too.
type Roots interface {
	List() ([][]byte, error)
	// Add and Delete make Windows ask the person.
	Add(der []byte) error
	Delete(der []byte) error
}

// errNotWindows says that this system has neither.
var errNotWindows = errors.New("there is no such thing on this system")

// elsewhere stands for both on other systems.
type elsewhere struct{}

func (elsewhere) Values(string) (map[string]string, error) { return nil, errNotWindows }
func (elsewhere) Number(_, _ string) (uint64, bool, error) { return 0, false, errNotWindows }
func (elsewhere) Set(_, _, _ string) error                 { return errNotWindows }
func (elsewhere) Unset(_, _ string) error                  { return errNotWindows }
func (elsewhere) DropEmpty(string) error                   { return errNotWindows }
func (elsewhere) List() ([][]byte, error)                  { return nil, errNotWindows }
func (elsewhere) Add([]byte) error                         { return errNotWindows }
func (elsewhere) Delete([]byte) error                      { return errNotWindows }
