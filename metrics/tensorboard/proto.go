package tensorboard

import (
	"encoding/binary"
	"math"
	"time"
)

// message is a protobuf message being written. Field numbers are those of
// tensorflow's event.proto, summary.proto and tensor.proto.
type message []byte

// The wire types of protobuf.
const (
	wireVarint  = 0
	wireFixed64 = 1
	wireBytes   = 2
)

func (m message) key(field, wire int) message {
	return binary.AppendUvarint(m, uint64(field)<<3|uint64(wire))
}

func (m message) int(field int, v int64) message {
	return binary.AppendUvarint(m.key(field, wireVarint), uint64(v))
}

func (m message) double(field int, v float64) message {
	return binary.LittleEndian.AppendUint64(m.key(field, wireFixed64), math.Float64bits(v))
}

func (m message) bytes(field int, v []byte) message {
	return append(binary.AppendUvarint(m.key(field, wireBytes), uint64(len(v))), v...)
}

func (m message) string(field int, v string) message { return m.bytes(field, []byte(v)) }

// The values of enumerations that are used.
const (
	typeFloat    = 1 // DataType.DT_FLOAT
	typeString   = 7 // DataType.DT_STRING
	classScalar  = 1 // DataClass.DATA_CLASS_SCALAR
	classTensor  = 2 // DataClass.DATA_CLASS_TENSOR
	classBlobs   = 3 // DataClass.DATA_CLASS_BLOB_SEQUENCE
	sessionStart = 1 // SessionLog.SessionStatus.START
)

// event is an Event with its time and step and one more field.
func event(at time.Time, step int64, field int, content message) message {
	m := message{}.double(1, float64(at.UnixNano())/1e9)
	if step != 0 {
		m = m.int(2, step)
	}
	return m.bytes(field, content)
}

// versionEvent is what every file begins with.
func versionEvent(at time.Time) message { return event(at, 0, 3, message("brain.Event:2")) }

// startEvent makes TensorBoard forget what it read of steps from this one on.
func startEvent(at time.Time, step int64) message {
	return event(at, step, 7, message{}.int(1, sessionStart))
}

// summaryEvent shows values, each made by scalar, picture or note, at a step.
func summaryEvent(at time.Time, step int64, values []message) message {
	var summary message
	for _, v := range values {
		summary = summary.bytes(1, v)
	}
	return event(at, step, 5, summary)
}

// description says what a tag is; it goes with the first value of a file.
type description struct {
	plugin string
	class  int64
	text   string // Markdown
}

// value is a Summary.Value. A nil description leaves it out.
func value(tag string, d *description, tensor message) message {
	m := message{}.string(1, tag).bytes(8, tensor)
	if d == nil {
		return m
	}
	meta := message{}.bytes(1, message{}.string(1, d.plugin))
	if d.text != "" {
		meta = meta.string(3, d.text)
	}
	return m.bytes(9, meta.int(4, d.class))
}

// scalar is a tensor of no dimensions.
func scalar(v float64) message {
	packed := binary.LittleEndian.AppendUint32(nil, math.Float32bits(float32(v)))
	return message{}.int(1, typeFloat).bytes(2, nil).bytes(5, packed)
}

// stringTensor is a tensor of one dimension.
func stringTensor(values ...[]byte) message {
	shape := message{}.bytes(2, message{}.int(1, int64(len(values))))
	m := message{}.int(1, typeString).bytes(2, shape)
	for _, v := range values {
		m = m.bytes(8, v)
	}
	return m
}
