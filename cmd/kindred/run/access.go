package run

import (
	"github.com/kindred-id/kindred/cmd/kindred/internal/cli"
	"github.com/kindred-id/kindred/node"
	"github.com/spf13/cobra"
)

// addAccess adds the flags that say whom the HTTP server lets in.
func addAccess(cmd *cobra.Command, f *cli.NodeFlags) {
	flags, a := cmd.Flags(), &f.Config.Access
	flags.StringSliceVar(&a.AllowedHosts, "allowed-hosts", nil, "names that the server answers for, beside addresses and local names: NAME,*.NAME,…; *: any")
	flags.BoolVar(&a.InsecureDev, "insecure-dev", false, "listen on a network without keys: every client may do everything")
	flags.StringVar(&a.TLSCert, "tls-cert", "", "file with the certificate chain of the server, in PEM; read again when it changes (default: no TLS)")
	flags.StringVar(&a.TLSKey, "tls-key", "", "file with the private key of --tls-cert, in PEM")
	flags.StringVar(&a.BackupDir, "backup-dir", "", "folder below which backups over HTTP are written (default: none are)")
	a.UnknownKey = node.KeyRejected
	flags.Var(cli.Choose(&a.UnknownKey, []string{node.KeyRejected, node.KeyQuarantined}), "unknown-key", "events with a write key that is not known, has expired or was revoked: reject them, or quarantine them among the dead letters")
	flags.IntVar(&a.KeyRate, "key-rate", 0, "requests that each key may make in a second (default: as many as come)")
	flags.IntVar(&a.MaxConnections, "max-connections", 0, "connections of clients at one time (default: by the memory, 256 to 8192)")
	flags.IntVar(&a.MaxStreams, "max-streams", 0, "streams of changes at one time; one key may have half of them (default: 16)")
	cli.WithEnv(flags, "max-connections", "max-streams")
	flags.StringVar(&a.Provider.Issuer, "oidc-issuer", "", "identity provider (OpenID Connect) whose people are let in by their ID tokens, https://… (default: none)")
	flags.StringVar(&a.Provider.Audience, "oidc-audience", "", "client id that the tokens of --oidc-issuer are made for")
	flags.StringVar(&a.Provider.Claim, "oidc-claim", "", "claim with the roles of a person; a dot leads into an object (default: roles)")
	flags.StringToStringVar(&a.Provider.Roles, "oidc-roles", nil, "roles by value of the claim, VALUE=ROLE,… (default: the values are roles)")
	cli.WithEnv(flags, "oidc-issuer", "oidc-audience", "oidc-claim", "oidc-roles")
	cli.WithEnv(flags, "allowed-hosts", "insecure-dev", "tls-cert", "tls-key", "unknown-key", "backup-dir", "key-rate")
}
