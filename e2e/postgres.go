//go:build e2e

package e2e

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"sync/atomic"
	"syscall"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // registers the driver "pgx"
)

// postgres is one PostgreSQL cluster for the whole run. Each server under test
// gets an empty database in it.
type postgres struct {
	process   *process
	port      int
	admin     *sql.DB
	databases atomic.Int64
}

var sharedPostgres = service[*postgres]{start: startPostgres}

// startPostgres makes a cluster in dir and starts it on a loopback port. What
// makes a commit survive a power cut is off: these tests kill Entrepot, not
// the machine, and want its speed.
func startPostgres(dir string) (*postgres, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	account, err := postgresAccount(dir)
	if err != nil {
		return nil, err
	}
	data := filepath.Join(dir, "data")
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", data, "-U", "postgres",
		"--auth=trust", "--encoding=UTF8", "--no-locale", "--no-sync")
	initdb.Dir, initdb.SysProcAttr = dir, account()
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(filepath.Join(bin, "postgres"), "-D", data,
		"-c", "listen_addresses=127.0.0.1", "-c", "port="+strconv.Itoa(port),
		"-c", "unix_socket_directories="+dir, "-c", "max_connections=300",
		"-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off")
	cmd.Dir, cmd.SysProcAttr = dir, account()
	// SIGQUIT makes the postmaster end its children at once and itself after them.
	p, err := startProcess("postgres", cmd, filepath.Join(scratch, "postgres.log"), syscall.SIGQUIT)
	if err != nil {
		return nil, err
	}
	pg := &postgres{process: p, port: port}
	if pg.admin, err = sql.Open("pgx", pg.url("postgres")); err != nil {
		return nil, err
	}
	if err := p.waitFor(pg.admin.Ping, 30*time.Second); err != nil {
		_ = p.stop(syscall.SIGQUIT, 10*time.Second)
		return nil, err
	}
	return pg, nil
}

// postgresPrograms finds the directory of initdb and postgres: Debian keeps
// them out of PATH, one directory a version.
func postgresPrograms() (string, error) {
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil || len(found) == 0 {
		return "", fmt.Errorf("initdb not found: run `make tools` first")
	}
	return filepath.Dir(slices.Max(found)), nil
}

// postgresAccount returns what a command needs to run as the account postgres,
// and gives dir to that account: PostgreSQL refuses to run as root. For anyone
// else it returns nothing special.
func postgresAccount(dir string) (func() *syscall.SysProcAttr, error) {
	if os.Getuid() != 0 {
		return func() *syscall.SysProcAttr { return nil }, nil
	}
	account, err := user.Lookup("postgres")
	if err != nil {
		return nil, fmt.Errorf("PostgreSQL cannot run as root: %w", err)
	}
	uid, err := strconv.Atoi(account.Uid)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.Atoi(account.Gid)
	if err != nil {
		return nil, err
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		return nil, err
	}
	return func() *syscall.SysProcAttr {
		return &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}
	}, nil
}

// url is how a client connects to the database.
func (pg *postgres) url(database string) string {
	return fmt.Sprintf("postgres://postgres@127.0.0.1:%d/%s?sslmode=disable", pg.port, database)
}

// createDatabase makes an empty database and returns its URL.
func (pg *postgres) createDatabase(ctx context.Context) (string, error) {
	name := fmt.Sprintf("e2e_%d", pg.databases.Add(1))
	if _, err := pg.admin.ExecContext(ctx, "CREATE DATABASE "+name); err != nil {
		return "", fmt.Errorf("create database %s: %w", name, err)
	}
	return pg.url(name), nil
}

// stop ends the cluster without waiting for clients to leave.
func (pg *postgres) stop() error {
	return errors.Join(pg.admin.Close(), pg.process.stop(syscall.SIGINT, 20*time.Second))
}
