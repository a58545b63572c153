package server

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/redis/go-redis/v9"
)

// StartRedis starts Redis with the given settings, as pairs of a name and a value.
func StartRedis(ctx context.Context, parent string, settings ...string) (_ *Server, err error) {
	program, err := find("redis-server")
	if err != nil {
		return nil, err
	}
	s, as, err := newServer(parent, "redis")
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Stop())
		}
	}()
	s.Socket, s.stop = filepath.Join(s.dir, "socket"), syscall.SIGTERM
	args := []string{"--port", "0", "--unixsocket", s.Socket, "--unixsocketperm", "777", "--dir", s.dir, "--save", ""}
	for i := 0; i < len(settings); i += 2 {
		args = append(args, "--"+settings[i], settings[i+1])
	}
	client := s.Client()
	defer client.Close()
	return s, s.start(ctx, exec.Command(program, args...), as, func(ctx context.Context) error {
		info, err := client.Info(ctx, "server").Result()
		_, after, _ := strings.Cut(info, "redis_version:")
		s.Version, _, _ = strings.Cut(after, "\r\n")
		return err
	})
}

// Client returns a client of a Redis server. Answers may take long: a sync is part of them.
func (s *Server) Client() *redis.Client {
	return redis.NewClient(&redis.Options{Network: "unix", Addr: s.Socket, ReadTimeout: -1, WriteTimeout: -1, Protocol: 2, MaxRetries: -1})
}
