// Package broker connects to Apache Kafka: addresses, TLS, authentication. The consumer, the publisher and the
// benchmark share it, so that one set of flags and one file configure the brokers.
//
//	Connection{Brokers, TLS, SASL} ──► Options ──► client
//
// Secrets and certificates are read at each connection: they may be renewed while the process runs.
package broker
