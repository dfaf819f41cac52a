package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"senim/internal/tlog"
	"senim/pki"
)

type logMine struct {
	logged
	salted
	Log  string `help:"The log: its address, as https://ca.example/log/, or its folder." placeholder:"URL"`
	JSON bool   `name:"json" help:"Answer in JSON."`
}

// Help is what --help adds.
func (*logMine) Help() string {
	return `Every entry of the log is read and proved, and those of the salt's holder are listed: also of certificates he
never asked for. The salt is in every receipt of the cabinet.

  senim log mine --key log.pub --log https://ca.example/log/ --salt-file my.senim-proof

It finds what the authority logged under this salt. That nothing was logged under another one is for an auditor
with the authority's database: senim log verify --data.`
}

// entryCard is an entry as it is shown.
type entryCard struct {
	Index     int64    `json:"index"`
	Serial    string   `json:"serial"`
	Roles     []string `json:"roles,omitempty"`
	NotBefore string   `json:"notBefore"`
	NotAfter  string   `json:"notAfter"`
}

func (c *logMine) run(ctx context.Context, p *program) error {
	if c.Log == "" {
		return &hinted{errors.New("no log was named"), "--log URL"}
	}
	c.where = c.Log
	k, err := c.key(p)
	if err != nil {
		return err
	}
	salt, err := c.salt(ctx, p)
	if err != nil {
		return err
	}
	l, at, said, err := c.current(ctx, p, k)
	if err != nil {
		return err
	}
	mine := []entryCard{}
	err = walkLog(ctx, p, l, at, func(index int64, e tlog.Entry, _ []byte) error {
		if !e.Mine(salt) {
			return nil
		}
		one := entryCard{Index: index, Serial: e.SerialHex(), NotBefore: stamp(e.NotBefore), NotAfter: stamp(e.NotAfter)}
		for _, oid := range e.Purposes {
			if r, ok := pki.RoleByOID(oid); ok {
				one.Roles = append(one.Roles, r.String())
			}
		}
		mine = append(mine, one)
		return nil
	})
	if err != nil {
		return err
	}
	if c.JSON {
		p.json(struct {
			Log     string      `json:"log"`
			Size    int64       `json:"size"`
			Entries []entryCard `json:"entries"`
		}{k.Origin(), at.Size, mine})
		return nil
	}
	p.line("%s of %d in the log %s are of this holder.", entryCount(int64(len(mine))), at.Size, k.Origin())
	for _, e := range mine {
		p.row(fmt.Sprint("entry ", e.Index), fmt.Sprintf("%s, %s, %s to %s", e.Serial, strings.Join(e.Roles, " "), e.NotBefore, e.NotAfter))
	}
	p.line("%s", said)
	p.line("One you never asked for? Revoke it, and tell the authority.")
	return nil
}
