package kafka_test

import (
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/kindred-id/kindred/ingest/kafka"
)

// A file has the settings of Kafka. A mapping makes events of records that have another form. A file with a mistake is refused
// with its line and the keys that there are.
func ExampleReadConfig() {
	dir, err := os.MkdirTemp("", "kindred")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "kafka.yaml")
	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			log.Fatal(err)
		}
	}

	write(`
brokers: [kafka1:9092]
topics:
  - topic: orders
    source: shop
    map:
      type: {value: track}
      event: {value: Order Completed}
      messageId: order_id
      userId: customer.id
      timestamp: {from: created, unit: ms}
      properties: .
`)
	config, err := kafka.ReadConfig(path)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(config.Brokers, config.Topics[0].Topic, config.Topics[0].Source, config.Check())

	write("brokers: [kafka1:9092]\ntls: {enable: true}\n")
	_, err = kafka.ReadConfig(path)
	fmt.Println(filepath.Base(err.Error()))

	// Output:
	// [kafka1:9092] orders shop <nil>
	// kafka.yaml:2: tls.enable: unknown key; known here: enabled, ca_file, cert_file, key_file, server_name
}
