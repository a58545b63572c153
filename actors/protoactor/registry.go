package protoactor

import "github.com/asynkron/protoactor-go/actor"

// registryMaps is how many of the registry's maps are used. Each has 32 parts with a lock of its own, which is plenty.
const registryMaps = 4

// shrinkRegistry lets the registry of a new actor system do with a few of its 1,024 maps. They have 32,768 parts, and a part
// takes 0.3 kB once it has held one actor: 11 MB in all, where --memory 128MiB has room for some ten thousand actors.
func shrinkRegistry(system *actor.ActorSystem) {
	maps := system.ProcessRegistry.LocalPIDs.LocalPIDs
	for i := registryMaps; i < len(maps); i++ {
		for id, process := range maps[i].Items() {
			maps[i%registryMaps].Set(id, process)
		}
		maps[i] = maps[i%registryMaps]
	}
}
