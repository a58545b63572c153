// Package kafkatest runs a Kafka for tests: Apache Kafka's own broker, one KRaft node or a cluster of
// three, on loopback ports. `make kafka` fetches it with Maven; it needs Java 17.
//
//	KINDRED_KAFKA=host:port,…   a broker that runs already, for tests that do not kill it
//	make kafka                  else nodes of its own
//	neither                     else franz-go's in-memory broker, and the run says so; with CI=true the test fails
//
// Invariants:
//   - K1: every node listens on 127.0.0.1 only.
//   - K2: no node outlives the test that started it, however the test ends (on Linux).
//   - K3: processes are ended by the id of a process that this package started.
package kafkatest
