//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strings"
)

// Output is how a command of the entrepot program ended.
type Output struct {
	Stdout, Stderr string
	ExitCode       int
}

// Run runs one command of the program on the server's database and storage,
// whether the server is up or not. stdin may be empty. The error tells that it
// could not run at all, not that it failed.
func (s *Server) Run(ctx context.Context, stdin string, args ...string) (Output, error) {
	return runProgram(ctx, s.env, stdin, append(args, "--data", s.DataDir)...)
}

// runProgram runs the program under test with nothing but env for an environment.
func runProgram(ctx context.Context, env []string, stdin string, args ...string) (Output, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	var stdout, stderr bytes.Buffer
	cmd.Env, cmd.Stdin, cmd.Stdout, cmd.Stderr = env, strings.NewReader(stdin), &stdout, &stderr
	err := cmd.Run()
	if cmd.ProcessState == nil || ctx.Err() != nil {
		return Output{}, fmt.Errorf("entrepot %s: %w", strings.Join(args, " "), err)
	}
	return Output{stdout.String(), stderr.String(), cmd.ProcessState.ExitCode()}, nil
}

// command is Run for commands that must succeed; it returns what they printed.
func (s *Server) command(ctx context.Context, stdin string, args ...string) (string, error) {
	out, err := s.Run(ctx, stdin, args...)
	if err != nil {
		return "", err
	}
	if out.ExitCode != 0 {
		return "", fmt.Errorf("entrepot %s: exit code %d\n%s%s", strings.Join(args, " "), out.ExitCode, out.Stdout, out.Stderr)
	}
	return out.Stdout, nil
}

// CreateUser makes an account and a token for it. flags are those of `user create`.
func (s *Server) CreateUser(ctx context.Context, name string, flags ...string) (Account, error) {
	account := Account{Name: name, Password: "correct horse " + name}
	args := append([]string{"user", "create", name, "--email", name + "@example.com", "--password-stdin"}, flags...)
	if _, err := s.command(ctx, account.Password+"\n", args...); err != nil {
		return Account{}, err
	}
	token, err := s.command(ctx, "", "token", "create", "--user", name, "--name", "e2e",
		"--scopes", "read:package,write:package,delete:package")
	if err != nil {
		return Account{}, err
	}
	account.Token = strings.TrimSuffix(token, "\n")
	if account.Token == "" || strings.ContainsAny(account.Token, " \n") {
		return Account{}, fmt.Errorf("token create printed %q, want the secret alone", token)
	}
	return account, nil
}

// CreateOrg makes an organization that belongs to the user owner. visibility
// is public, limited or private.
func (s *Server) CreateOrg(ctx context.Context, name, owner, visibility string) error {
	_, err := s.command(ctx, "", "org", "create", name, "--owner", owner, "--visibility", visibility)
	return err
}

// AddMember gives the user a role in the organization: owner, writer or reader.
func (s *Server) AddMember(ctx context.Context, org, user, role string) error {
	_, err := s.command(ctx, "", "org", "add", org, user, "--role", role)
	return err
}

// Doctor checks rows against bytes and fails unless everything agrees.
func (s *Server) Doctor(ctx context.Context) error {
	_, err := s.command(ctx, "", "doctor")
	return err
}
