package node

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// An adminListener answers what is for the operator of this machine alone: profiles of the process, which cost time and
// show its command line, and the level of the log.
//
// It listens on loopback and nowhere else, since it asks for no key; kubectl port-forward and ssh -L reach it there. A
// request must name a loopback host, and may not come from a page: a page could make a browser on this machine send it, under
// a name of its own that resolves to loopback.
type adminListener struct {
	listener net.Listener
	server   *http.Server
	serving  sync.WaitGroup
}

// Bounds of a request to the admin listener. A profile is written for as long as it was asked for.
const (
	adminHeaderTimeout = 5 * time.Second
	adminIdleTimeout   = time.Minute
	levelMax           = 64 // bytes of a level of the log
)

// adminAddress completes an address: a port alone is one of loopback. It fails for an address of another interface.
func adminAddress(address string) (string, error) {
	if address == "" {
		return "", nil
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		if host, port, err = net.SplitHostPort(":" + address); err != nil {
			return "", fmt.Errorf("--admin-listen %s: want a port, or HOST:PORT", address)
		}
	}
	if host == "" {
		host = "127.0.0.1"
	}
	if !isLoopback(host) {
		return "", fmt.Errorf("--admin-listen %s: not an address of loopback; the listener asks for no key, so reach it by ssh -L or kubectl port-forward", address)
	}
	return net.JoinHostPort(host, port), nil
}

// isLoopback reports whether a host stands for loopback without a look-up.
func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (k *Kindred) startAdmin(context.Context) error {
	address, err := adminAddress(k.config.AdminListen)
	if err != nil {
		return err
	}
	a := &k.admin
	if a.listener, err = net.Listen("tcp", address); err != nil {
		return fmt.Errorf("%w; give --admin-listen PORT", err)
	}
	a.server = &http.Server{
		Handler: local(adminRoutes(k.config.LogLevel, k.config.Logger)), ReadHeaderTimeout: adminHeaderTimeout, IdleTimeout: adminIdleTimeout,
		ErrorLog: log.New(io.Discard, "", 0),
	}
	a.serving.Go(func() {
		if err := a.server.Serve(a.listener); !errors.Is(err, http.ErrServerClosed) {
			k.config.Logger.Warn("the admin listener ended", "error", err)
		}
	})
	k.config.Logger.Info("admin listener", "url", "http://"+a.listener.Addr().String()+"/debug/pprof/")
	return nil
}

// stop cuts off what is still asked: profiles may take minutes.
func (a *adminListener) stop(context.Context) error {
	err := a.server.Close()
	a.serving.Wait()
	return err
}

// AdminURL returns the address of the admin listener.
//
// REQUIRES: started, and Config.AdminListen was given
func (k *Kindred) AdminURL() string { return "http://" + k.admin.listener.Addr().String() }

func adminRoutes(level *slog.LevelVar, logger *slog.Logger) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("POST /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	if level == nil {
		return mux
	}
	mux.HandleFunc("GET /debug/log-level", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, strings.ToLower(level.Level().String())) })
	mux.HandleFunc("PUT /debug/log-level", func(w http.ResponseWriter, r *http.Request) {
		text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, levelMax))
		var to slog.Level
		if err != nil || to.UnmarshalText([]byte(strings.TrimSpace(string(text)))) != nil {
			http.Error(w, "log level: want debug, info, warn or error", http.StatusBadRequest)
			return
		}
		from := level.Level()
		level.Set(to)
		logger.Log(r.Context(), max(from, to, slog.LevelInfo), "the level of the log changed", "from", from.String(), "to", to.String())
		fmt.Fprintln(w, strings.ToLower(to.String()))
	})
	return mux
}

// local refuses requests that a page could make a browser send.
func local(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.Host)
		if err != nil {
			host = r.Host
		}
		if !isLoopback(host) || r.Header.Get("Origin") != "" || r.Header.Get("Sec-Fetch-Site") == "cross-site" {
			http.Error(w, "this listener is for this machine: ask for a loopback host, and not from a page", http.StatusForbidden)
			return
		}
		next.ServeHTTP(w, r)
	})
}
