package participant

import (
	"context"
	"fmt"

	"senim/internal/ident"
)

// PasswordExpired reports whether the account may only set a new password (section 11): its own is older
// than password.max_age.
func (o *Office) PasswordExpired(a Account) bool { return o.c.SignIn.expired(a, o.now()) }

// RenewPassword takes the new password of a person whose present one is too old, typed twice, after his
// key was proved and that password given: [FieldErrors], or an act to sign. SIGNIN_STALE when another password was
// set since he gave it ([Account.Stamp]).
func (o *Office) RenewPassword(ctx context.Context, sid string, iin ident.IIN, given, password, again string) error {
	var own []string
	var a Account
	err := o.c.Store.View(ctx, func(tx Tx) (err error) {
		if a, err = o.owner(ctx, tx, iin); err != nil {
			return err
		}
		if a.Stamp() != given {
			return deny("SIGNIN_STALE")
		}
		own, err = o.ownNumbers(ctx, tx, iin)
		return err
	})
	if err != nil {
		return fmt.Errorf("renew password: %w", err)
	}
	wrong := checkPassword(password, again, own...)
	if len(wrong) == 0 {
		if same, _ := o.c.Passwords.Check(a.Password, password); same {
			wrong["password"] = "PASSWORD_SAME"
		}
	}
	if len(wrong) > 0 {
		return wrong
	}
	hash, err := o.c.Passwords.Hash(password)
	if err != nil {
		return fmt.Errorf("renew password: %w", err)
	}
	return o.keepAct(ctx, sid, Act{Kind: ActPassword, IIN: iin, Password: hash})
}
