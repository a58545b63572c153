package server

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jackc/pgx/v5"
)

// PostgresUser is the user and the database of a server.
const PostgresUser = "postgres"

// StartPostgres starts PostgreSQL with the given settings, in a new cluster below parent.
func StartPostgres(ctx context.Context, parent string, settings []string) (_ *Server, err error) {
	initdb, err := find("initdb", "/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return nil, err
	}
	postgres, err := find("postgres", filepath.Join(filepath.Dir(initdb), "postgres"))
	if err != nil {
		return nil, err
	}
	s, as, err := newServer(parent, "postgres")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	s.Socket, s.stop = s.dir, syscall.SIGINT // a fast shutdown
	data := filepath.Join(s.dir, "data")
	make := exec.CommandContext(ctx, initdb, "-D", data, "-U", PostgresUser, "--auth=trust", "-E", "UTF8", "--no-locale", "--no-sync")
	make.Dir, make.SysProcAttr = s.dir, &syscall.SysProcAttr{Credential: as}
	if said, err := make.CombinedOutput(); err != nil {
		return nil, errors.Join(err, errors.New(string(said)))
	}
	args := []string{"-D", data, "-k", s.dir, "-c", "listen_addresses="}
	for _, setting := range settings {
		args = append(args, "-c", setting)
	}
	return s, s.start(ctx, exec.Command(postgres, args...), as, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, s.Address())
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		err = conn.QueryRow(ctx, "SHOW server_version").Scan(&s.Version)
		s.Version, _, _ = strings.Cut(s.Version, " ")
		return err
	})
}

// Address is how to reach a PostgreSQL server.
func (s *Server) Address() string {
	return "host=" + s.Socket + " user=" + PostgresUser + " dbname=" + PostgresUser
}
