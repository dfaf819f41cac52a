package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/pfx"
)

// secret gives the password of something that exists: from the first line of a file, or from the
// person at the terminal. It is never an argument or a variable: those show in lists of processes.
func (p *program) secret(ctx context.Context, what, file string) (string, error) {
	if file != "" {
		return p.password(file)
	}
	if p.Ask == nil {
		return "", &hinted{fmt.Errorf("read %s: a key file, locked by a password", what), "--password-file FILE, with the password in its first line"}
	}
	return p.Ask(ctx, "Password of "+what)
}

// newSecret gives a password for something new, which must follow the rule for new passwords. At a
// terminal it is asked for twice.
func (p *program) newSecret(ctx context.Context, what, file string) (string, error) {
	if file != "" {
		password, err := p.password(file)
		if err != nil {
			return "", err
		}
		return password, rule(password)
	}
	if p.Ask == nil {
		return "", &hinted{fmt.Errorf("a new password for %s is needed", what), "--new-password-file FILE, with the password in its first line"}
	}
	password, err := p.Ask(ctx, "New password of "+what)
	if err != nil {
		return "", err
	}
	if err := rule(password); err != nil {
		return "", err
	}
	again, err := p.Ask(ctx, "The same once more")
	if err != nil {
		return "", err
	}
	if again != password {
		return "", &hinted{errors.New("the two passwords differ"), "nothing was changed; start again"}
	}
	return password, nil
}

// rule is what a new password must keep to, said once in full.
func rule(password string) error {
	if err := pfx.CheckPassword(password); err != nil {
		return &hinted{fmt.Errorf("the new password does not do: %w", err),
			"6 to 32 characters: small and capital Latin letters and digits, and any of .?#$^+=!*()@%&_-"}
	}
	return nil
}

// password reads the first line of a file.
func (p *program) password(name string) (string, error) {
	data, err := p.read(name)
	if err != nil {
		return "", err
	}
	line, _, _ := strings.Cut(strings.TrimPrefix(string(data), "\ufeff"), "\n")
	return strings.TrimSuffix(line, "\r"), nil
}

// wrong is a password that does not open a file, with what usually is the matter.
func wrong(name, passwordFile string, err error) error {
	hint := "capital and small letters differ, and so do the keyboard's languages"
	if passwordFile != "" {
		hint = "capital and small letters differ; only the first line of " + passwordFile + " counts"
	}
	return &hinted{fmt.Errorf("open %s: %w", name, err), hint}
}

// unlock opens a key file with the password in a file, or with the one the person says.
func (p *program) unlock(ctx context.Context, name string, der []byte, passwordFile string) (*pfx.File, error) {
	password, err := p.secret(ctx, name, passwordFile)
	if err != nil {
		return nil, err
	}
	f, err := pfx.Decode(der, password)
	if errors.Is(err, pfx.ErrPassword) {
		return nil, wrong(name, passwordFile, err)
	}
	if err != nil {
		return nil, fmt.Errorf("open %s: %w", name, err)
	}
	return f, nil
}
