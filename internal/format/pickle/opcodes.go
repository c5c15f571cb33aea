package pickle

// opcode is an instruction: its name in Python's pickletools and what it does.
type opcode struct {
	name string
	do   func(*machine) error
}

// opcodeOf returns the instruction of a code; its do is nil for those that are
// refused.
func opcodeOf(code byte) (opcode, bool) {
	for _, group := range []func(byte) (opcode, bool){controlOp, numberOp, textOp, containerOp, classOp, refusedOp} {
		if op, ok := group(code); ok {
			return op, true
		}
	}
	return opcode{}, false
}

// controlOp knows the stack, the memo and the frame of the program.
func controlOp(code byte) (opcode, bool) {
	switch code {
	case 0x80:
		return opcode{"PROTO", (*machine).proto}, true
	case 0x95:
		return opcode{"FRAME", (*machine).frame}, true
	case '.':
		return opcode{"STOP", (*machine).stop}, true
	case '(':
		return opcode{"MARK", (*machine).mark}, true
	case '0':
		return opcode{"POP", func(m *machine) error { _, err := m.pop(); return err }}, true
	case '1':
		return opcode{"POP_MARK", func(m *machine) error { _, err := m.popMark(); return err }}, true
	case '2':
		return opcode{"DUP", (*machine).dup}, true
	case 'q':
		return opcode{"BINPUT", func(m *machine) error { return m.put(1) }}, true
	case 'r':
		return opcode{"LONG_BINPUT", func(m *machine) error { return m.put(4) }}, true
	case 0x94:
		return opcode{"MEMOIZE", func(m *machine) error { return m.keep(uint32(len(m.memo))) }}, true
	case 'h':
		return opcode{"BINGET", func(m *machine) error { return m.get(1) }}, true
	case 'j':
		return opcode{"LONG_BINGET", func(m *machine) error { return m.get(4) }}, true
	}
	return opcode{}, false
}

// numberOp knows constants and numbers.
func numberOp(code byte) (opcode, bool) {
	constant := func(name string, v any) (opcode, bool) {
		return opcode{name, func(m *machine) error { return m.push(v) }}, true
	}
	switch code {
	case 'N':
		return constant("NONE", nil)
	case 0x88:
		return constant("NEWTRUE", true)
	case 0x89:
		return constant("NEWFALSE", false)
	case 'J':
		return opcode{"BININT", (*machine).signed}, true
	case 'K':
		return opcode{"BININT1", func(m *machine) error { return m.unsigned(1) }}, true
	case 'M':
		return opcode{"BININT2", func(m *machine) error { return m.unsigned(2) }}, true
	case 0x8a:
		return opcode{"LONG1", func(m *machine) error { return m.long(1) }}, true
	case 0x8b:
		return opcode{"LONG4", func(m *machine) error { return m.long(4) }}, true
	case 'G':
		return opcode{"BINFLOAT", (*machine).float}, true
	}
	return opcode{}, false
}

// textOp knows strings and bytes; the number is the size of their length.
func textOp(code byte) (opcode, bool) {
	text := func(name string, width int) (opcode, bool) {
		return opcode{name, func(m *machine) error { return m.text(width) }}, true
	}
	raw := func(name string, width int) (opcode, bool) {
		return opcode{name, func(m *machine) error { return m.bytes(width) }}, true
	}
	switch code {
	case 0x8c:
		return text("SHORT_BINUNICODE", 1)
	case 'X':
		return text("BINUNICODE", 4)
	case 0x8d:
		return text("BINUNICODE8", 8)
	case 'U':
		return text("SHORT_BINSTRING", 1)
	case 'T':
		return text("BINSTRING", 4)
	case 'C':
		return raw("SHORT_BINBYTES", 1)
	case 'B':
		return raw("BINBYTES", 4)
	case 0x8e:
		return raw("BINBYTES8", 8)
	case 0x96:
		return raw("BYTEARRAY8", 8)
	}
	return opcode{}, false
}

// containerOp knows tuples, lists and dicts.
func containerOp(code byte) (opcode, bool) {
	switch code {
	case ')':
		return opcode{"EMPTY_TUPLE", func(m *machine) error { return m.push(Tuple{}) }}, true
	case 't':
		return opcode{"TUPLE", (*machine).tuple}, true
	case 0x85:
		return opcode{"TUPLE1", func(m *machine) error { return m.tupleOf(1) }}, true
	case 0x86:
		return opcode{"TUPLE2", func(m *machine) error { return m.tupleOf(2) }}, true
	case 0x87:
		return opcode{"TUPLE3", func(m *machine) error { return m.tupleOf(3) }}, true
	case ']':
		return opcode{"EMPTY_LIST", func(m *machine) error { return m.push(&List{}) }}, true
	case 'a':
		return opcode{"APPEND", (*machine).appendOne}, true
	case 'e':
		return opcode{"APPENDS", (*machine).appendMany}, true
	case '}':
		return opcode{"EMPTY_DICT", func(m *machine) error { return m.push(&Dict{}) }}, true
	case 's':
		return opcode{"SETITEM", (*machine).setOne}, true
	case 'u':
		return opcode{"SETITEMS", (*machine).setMany}, true
	}
	return opcode{}, false
}

// classOp knows classes, their instances and references to the outside.
func classOp(code byte) (opcode, bool) {
	switch code {
	case 'c':
		return opcode{"GLOBAL", (*machine).global}, true
	case 0x93:
		return opcode{"STACK_GLOBAL", (*machine).stackGlobal}, true
	case 'R':
		return opcode{"REDUCE", (*machine).reduce}, true
	case 'b':
		return opcode{"BUILD", (*machine).build}, true
	case 'Q':
		return opcode{"BINPERSID", (*machine).persistent}, true
	}
	return opcode{}, false
}

// refusedOp names the instructions that are not supported: those that make
// instances in ways torch.save does not use, and those of older protocols.
func refusedOp(code byte) (opcode, bool) {
	names := map[byte]string{
		'i': "INST", 'o': "OBJ", 0x81: "NEWOBJ", 0x92: "NEWOBJ_EX", 0x82: "EXT1", 0x83: "EXT2", 0x84: "EXT4",
		'P': "PERSID", 'I': "INT", 'L': "LONG", 'F': "FLOAT", 'S': "STRING", 'V': "UNICODE", 'p': "PUT", 'g': "GET",
		'd': "DICT", 'l': "LIST", 0x8f: "EMPTY_SET", 0x90: "ADDITEMS", 0x91: "FROZENSET",
		0x97: "NEXT_BUFFER", 0x98: "READONLY_BUFFER",
	}
	name, ok := names[code]
	return opcode{name: name}, ok
}
