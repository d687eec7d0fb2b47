package cmd

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"entrepot/access"
	"entrepot/auth"
	"entrepot/ent/membership"
	"entrepot/server"
)

func newUser(c *cli) *cobra.Command {
	user := &cobra.Command{Use: "user", Short: "Manage accounts"}
	var n auth.NewUser
	var passwordStdin bool
	create := &cobra.Command{
		Use:     "create NAME",
		Short:   "Create an account",
		Long:    "Create an account and its namespace. The password is read from standard input.",
		Example: "  printf '%s' \"$PASSWORD\" | entrepot user create ann --email ann@example.com --password-stdin",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !passwordStdin {
				return usageError{errors.New("the password comes by --password-stdin")}
			}
			password, err := io.ReadAll(io.LimitReader(cmd.InOrStdin(), 4096))
			if err != nil {
				return err
			}
			n.Login, n.Password = args[0], strings.TrimRight(string(password), "\r\n")
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				u, err := s.Auth().CreateUser(ctx, n)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "created the user %s\n", u.Login)
				return err
			})
		},
	}
	create.Flags().StringVar(&n.Email, "email", "", "e-mail address")
	create.Flags().StringVar(&n.FullName, "full-name", "", "name to show beside the login name")
	create.Flags().BoolVar(&n.Admin, "admin", false, "let the user administer the whole site")
	create.Flags().BoolVar(&passwordStdin, "password-stdin", false, "read the password from standard input")
	_ = create.MarkFlagRequired("email")
	user.AddCommand(create)
	return user
}

func newOrg(c *cli) *cobra.Command {
	org := &cobra.Command{Use: "org", Short: "Manage organizations"}
	var owner, visibility, role string
	create := &cobra.Command{
		Use:   "create NAME",
		Short: "Create an organization",
		Args:  cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				o, err := s.Registry().CreateOrganization(ctx, args[0], access.Visibility(strings.ToUpper(visibility)), owner)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.ErrOrStderr(), "created the organization %s\n", o.Name)
				return err
			})
		},
	}
	create.Flags().StringVar(&owner, "owner", "", "user who owns it")
	create.Flags().StringVar(&visibility, "visibility", "public", "who may read: public, limited (signed in) or private (members)")
	_ = create.MarkFlagRequired("owner")
	add := &cobra.Command{
		Use:   "add NAME USER",
		Short: "Add a user to an organization, or change the user's role in it",
		Args:  cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				if _, err := s.Registry().SetMember(ctx, args[0], args[1], membership.Role(strings.ToUpper(role))); err != nil {
					return fmt.Errorf("add %s to %s: %w", args[1], args[0], err)
				}
				return nil
			})
		},
	}
	add.Flags().StringVar(&role, "role", "", "owner, writer or reader")
	_ = add.MarkFlagRequired("role")
	org.AddCommand(create, add)
	return org
}

func newToken(c *cli) *cobra.Command {
	token := &cobra.Command{Use: "token", Short: "Manage access tokens"}
	var login, name string
	var scopes []string
	var expires time.Duration
	create := &cobra.Command{
		Use:   "create",
		Short: "Create an access token and print it alone",
		Long: `Create an access token for a user and print it, alone, on standard output. It is
shown this once.

Scopes: ` + joinScopes() + `.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			parsed, unknown := access.ParseScopes(scopes)
			if unknown != "" {
				return usageError{fmt.Errorf("there is no scope %q; there are %s", unknown, joinScopes())}
			}
			n := auth.NewToken{Name: name, Scopes: parsed}
			if cmd.Flags().Changed("expires") {
				at := time.Now().Add(expires)
				n.ExpiresAt = &at
			}
			return c.with(cmd, func(ctx context.Context, s *server.Server) error {
				secret, _, err := s.Auth().CreateTokenFor(ctx, login, n)
				if err != nil {
					return err
				}
				_, err = fmt.Fprintln(cmd.OutOrStdout(), secret)
				return err
			})
		},
	}
	create.Flags().StringVar(&login, "user", "", "user the token speaks for")
	create.Flags().StringVar(&name, "name", "", "label to know it by")
	create.Flags().StringSliceVar(&scopes, "scopes", []string{string(access.ReadPackage)}, "what it may do, divided by commas")
	create.Flags().DurationVar(&expires, "expires", auth.DefaultTokenLife, "how long it lives")
	_ = create.MarkFlagRequired("user")
	_ = create.MarkFlagRequired("name")
	token.AddCommand(create)
	return token
}

func joinScopes() string {
	var names []string
	for _, s := range access.Scopes() {
		names = append(names, string(s))
	}
	return strings.Join(names, ", ")
}
