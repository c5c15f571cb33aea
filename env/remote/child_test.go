package remote

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/orrery-rl/orrery/internal/rng"
)

// roleVariable makes the test binary act as a child: its value says how it
// behaves.
const roleVariable = "ORRERY_TEST_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		actChild(role)
		return
	}
	goleak.VerifyTestMain(m)
}

// walkLimit is the length of the child's episodes.
const walkLimit = 20

// walkChild is a random walk with a 4x6 image and a vector of two: the example
// of a correct child, independent of the client's code.
type walkChild struct {
	in       *bufio.Reader
	role     string
	noise    *rng.Stream
	position float32
	steps    int
}

func actChild(role string) {
	c := &walkChild{in: bufio.NewReader(os.Stdin), role: role}
	if role == "grandchild" {
		startSleeper()
	}
	for c.serve() {
	}
}

// startSleeper leaves a process behind that holds all our files open.
func startSleeper() {
	cmd := exec.Command("sleep", "600")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	fmt.Fprintf(os.Stderr, "sleeper %d\n", cmd.Process.Pid)
}

func (c *walkChild) serve() bool {
	prefix := make([]byte, 12)
	if _, err := io.ReadFull(c.in, prefix); err != nil {
		return false
	}
	header := make([]byte, binary.LittleEndian.Uint32(prefix[4:]))
	payload := make([]byte, binary.LittleEndian.Uint32(prefix[8:]))
	if _, err := io.ReadFull(c.in, header); err != nil {
		return false
	}
	if _, err := io.ReadFull(c.in, payload); err != nil {
		return false
	}
	var ask struct {
		Type   string
		Seed   uint64
		Repeat int
	}
	if err := json.Unmarshal(header, &ask); err != nil {
		return false
	}
	switch ask.Type {
	case "hello":
		return c.hello()
	case "reset":
		c.noise, c.steps = rng.New(ask.Seed, "walk"), 0
		c.position = c.noise.Float32()
		c.state(0, 0)
	case "step":
		return c.step(payload, ask.Repeat)
	case "close":
		return false
	}
	return true
}

func (c *walkChild) hello() bool {
	protocol := 1
	switch c.role {
	case "mute":
		time.Sleep(time.Minute)
	case "newer":
		protocol = 2
	case "early death":
		fmt.Fprintln(os.Stderr, "no module named physics")
		os.Exit(7)
	case "printer":
		fmt.Println("Welcome to the simulator, version 3")
	case "no bounds":
		c.send(`{"type":"spec","protocol":1,"name":"walk","vector":["x"],"action":{"low":[0],"high":[]}}`, nil)
		return true
	case "complains":
		c.send(`{"type":"error","message":"no such task"}`, nil)
		return true
	case "image too large":
		c.send(`{"type":"spec","protocol":1,"name":"walk","image":[4096,4096,3000],"action":{"low":[-1],"high":[1]}}`, nil)
		return true
	}
	c.send(fmt.Sprintf(`{"type":"spec","protocol":%d,"name":"walk","image":[4,6,3],"vector":["x","steps"],
		"action":{"low":[-2],"high":[2]},"max_steps":%d,"unknown":[1]}`, protocol, walkLimit), nil)
	return true
}

func (c *walkChild) step(payload []byte, repeat int) bool {
	if !c.misbehave() {
		return false
	}
	a := math.Float32frombits(binary.LittleEndian.Uint32(payload))
	reward, taken := 0.0, 0
	for taken < repeat && c.steps < walkLimit {
		c.position += a + c.noise.Float32()
		reward += float64(a)
		c.steps++
		taken++
	}
	c.state(reward, taken)
	return true
}

// misbehave acts in the third step of an episode as the role demands.
func (c *walkChild) misbehave() bool {
	if c.steps != 2 {
		return true
	}
	switch c.role {
	case "dies":
		fmt.Fprintln(os.Stderr, "segmentation fault, probably")
		os.Exit(9)
	case "hangs", "grandchild":
		time.Sleep(time.Minute)
	case "garbage":
		fmt.Print("this is no frame at all, but long enough for one")
	case "huge header":
		os.Stdout.Write([]byte("ORRY\xff\xff\xff\xff\x00\x00\x00\x00"))
	case "huge payload":
		os.Stdout.Write([]byte("ORRY\x02\x00\x00\x00\xff\xff\xff\xff{}"))
	case "bad json":
		os.Stdout.Write([]byte("ORRY\x02\x00\x00\x00\x00\x00\x00\x00}{"))
	case "half a frame":
		os.Stdout.Write([]byte("ORRY\x20\x00\x00\x00\x00\x00\x00\x00{"))
		return false
	case "other size":
		c.send(`{"type":"state","steps":1}`, make([]byte, 9))
	case "wrong steps":
		c.send(`{"type":"state","steps":5}`, c.observation())
	case "not a number":
		o := c.observation()
		binary.LittleEndian.PutUint32(o[len(o)-4:], math.Float32bits(float32(math.NaN())))
		c.send(`{"type":"state","steps":1}`, o)
	case "flood":
		for i := range 100000 {
			fmt.Fprintf(os.Stderr, "line %d of a very talkative simulator\n", i)
		}
		os.Stderr.Write(make([]byte, 1<<20)) // and one without an end
	case "slow":
		time.Sleep(100 * time.Millisecond)
	}
	return true
}

func (c *walkChild) observation() []byte {
	image := make([]byte, 4*6*3)
	for i := range image {
		image[i] = byte(int(10*c.position) + i)
	}
	image = binary.LittleEndian.AppendUint32(image, math.Float32bits(c.position))
	return binary.LittleEndian.AppendUint32(image, math.Float32bits(float32(c.steps)))
}

func (c *walkChild) state(reward float64, taken int) {
	c.send(fmt.Sprintf(`{"type":"state","reward":%g,"steps":%d}`, reward, taken), c.observation())
}

func (c *walkChild) send(header string, payload []byte) {
	frame := []byte("ORRY")
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(header)))
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(payload)))
	os.Stdout.Write(append(append(frame, header...), payload...))
}
