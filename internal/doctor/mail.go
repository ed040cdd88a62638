package doctor

import "context"

// Mail checks the mail server of notifications: check connects and signs in.
func Mail(check func(ctx context.Context) error) Check {
	return Check{Name: "mail", Run: func(ctx context.Context) Finding {
		if err := check(ctx); err != nil {
			return badErr(err, "the mail server does not let us in", "Check --smtp-url, its password and --mail-from. Messages wait and are tried again; people are told in the app all the same.")
		}
		return good("the mail server lets us in")
	}}
}
