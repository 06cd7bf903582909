//! A minisign public key: 2 bytes algorithm, 8 bytes key id, 32 bytes Ed25519 public key.
//! Format: https://jedisct1.github.io/minisign/#public-key-format

const std = @import("std");
const base64 = @import("base64.zig");
const lines = @import("lines.zig");
const Ed25519 = std.crypto.sign.Ed25519;

pub const PublicKey = struct {
    id: [8]u8,
    ed25519: Ed25519.PublicKey,

    /// Characters of a key given as text; it starts with `RW`.
    pub const text_length = 56;
    /// Bytes; a `.pub` file has about 110.
    pub const max_file_size = 4096;

    /// The second line of a `.pub` file: what `minisign -P` takes.
    pub fn fromText(text: []const u8) error{InvalidKey}!PublicKey {
        @setRuntimeSafety(true);
        const bytes = base64.decodeExact(42, text) catch return error.InvalidKey;
        if (!std.mem.eql(u8, bytes[0..2], "Ed")) return error.InvalidKey;
        const ed25519 = Ed25519.PublicKey.fromBytes(bytes[10..42].*) catch return error.InvalidKey;
        return .{ .id = bytes[2..10].*, .ed25519 = ed25519 };
    }

    /// A `.pub` file: an untrusted comment and the key. The last line may lack its end.
    pub fn fromFile(content: []const u8) error{InvalidKey}!PublicKey {
        var it: lines.Iterator = .init(content);
        const comment = it.next() orelse return error.InvalidKey;
        if (!std.mem.startsWith(u8, comment, "untrusted comment:")) return error.InvalidKey;
        const key = it.next() orelse it.unterminated() orelse return error.InvalidKey;
        if (!it.atEnd()) return error.InvalidKey;
        return fromText(key);
    }
};

/// A key id as minisign prints it: a little-endian number in upper-case hex digits, without leading zeros.
pub fn idText(buffer: *[16]u8, id: [8]u8) []const u8 {
    return std.fmt.bufPrint(buffer, "{X}", .{std.mem.readInt(u64, &id, .little)}) catch unreachable;
}

const sample = @import("sample.zig");

test "a key is read from text and from a file" {
    const key = try PublicKey.fromText(sample.key);
    var buffer: [16]u8 = undefined;
    try std.testing.expectEqualStrings(sample.key_id, idText(&buffer, key.id));
    try std.testing.expectEqual(key, try PublicKey.fromFile(sample.key_file));
    try std.testing.expectEqual(key, try PublicKey.fromFile(sample.key_file[0 .. sample.key_file.len - 1]));
}

test "an id is told without leading zeros, as minisign and Pitlane tell it" {
    var buffer: [16]u8 = undefined;
    const ids = [_][8]u8{ .{ 0x7c, 0x9e, 0x35, 0xde, 0x12, 0xdc, 0xcd, 0x04 }, @splat(0), @splat(0xff) };
    for (ids, [_][]const u8{ "4CDDC12DE359E7C", "0", "FFFFFFFFFFFFFFFF" }) |id, text| {
        try std.testing.expectEqualStrings(text, idText(&buffer, id));
    }
}

test "anything else is not a key" {
    for (0..sample.key.len) |length| {
        try std.testing.expectError(error.InvalidKey, PublicKey.fromText(sample.key[0..length]));
    }
    for (0..sample.key_file.len - 1) |length| {
        try std.testing.expectError(error.InvalidKey, PublicKey.fromFile(sample.key_file[0..length]));
    }
    try std.testing.expectError(error.InvalidKey, PublicKey.fromText("QQ" ++ sample.key[2..]));
    try std.testing.expectError(error.InvalidKey, PublicKey.fromFile(sample.key_file ++ "more\n"));
    try std.testing.expectError(error.InvalidKey, PublicKey.fromFile(sample.signature));
}
