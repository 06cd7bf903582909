//! Reading files: small ones whole, up to a limit; large ones in pieces through all the digests that are wanted at once.

const std = @import("std");
const Io = std.Io;
const Sha256 = std.crypto.hash.sha2.Sha256;
const Blake2b512 = std.crypto.hash.blake2.Blake2b512;
const Ed25519 = std.crypto.sign.Ed25519;

const options: Io.Dir.OpenFileOptions = .{ .allow_directory = false, .follow_symlinks = false };

/// The whole file; `limit` in bytes, more is `error.FileTooBig`.
pub fn readSmall(arena: std.mem.Allocator, io: Io, dir: Io.Dir, path: []const u8, limit: usize) ![]const u8 {
    const file = try dir.openFile(io, path, options);
    defer file.close(io);
    return readAll(arena, io, file, limit);
}

pub fn readAll(arena: std.mem.Allocator, io: Io, file: Io.File, limit: usize) ![]const u8 {
    @setRuntimeSafety(true);
    var content: std.ArrayList(u8) = .empty;
    var buffer: [4096]u8 = undefined;
    while (true) {
        const size = file.readStreaming(io, &.{&buffer}) catch |err| switch (err) {
            error.EndOfStream => return content.items,
            else => return err,
        };
        if (size > limit - content.items.len) return error.FileTooBig;
        try content.appendSlice(arena, buffer[0..size]);
    }
}

/// What a file's bytes go through. A digest that nobody asks for is left out: on a small machine each costs.
pub const Digests = struct {
    sha256: Sha256 = .init(.{}),
    blake2b: ?Blake2b512 = null,
    plain: ?Ed25519.Verifier = null,

    pub fn update(self: *Digests, bytes: []const u8) void {
        self.sha256.update(bytes);
        if (self.blake2b) |*hash| hash.update(bytes);
        if (self.plain) |*verifier| verifier.update(bytes);
    }

    pub fn updateFromFile(self: *Digests, io: Io, dir: Io.Dir, path: []const u8) !void {
        const file = try dir.openFile(io, path, options);
        defer file.close(io);
        var buffer: [64 * 1024]u8 = undefined;
        while (true) {
            const size = file.readStreaming(io, &.{&buffer}) catch |err| switch (err) {
                error.EndOfStream => return,
                else => return err,
            };
            self.update(buffer[0..size]);
        }
    }
};

test "a large file's digests are those of its bytes" {
    var tmp = std.testing.tmpDir(.{});
    defer tmp.cleanup();
    const io = std.testing.io;
    const content = "0123456789abcdef" ** 10_000;
    try tmp.dir.writeFile(io, .{ .sub_path = "f", .data = content });

    var digests: Digests = .{ .blake2b = .init(.{}) };
    try digests.updateFromFile(io, tmp.dir, "f");
    var expected: [32]u8 = undefined;
    Sha256.hash(content, &expected, .{});
    try std.testing.expectEqual(expected, digests.sha256.finalResult());
    try std.testing.expectEqual(@import("signature.zig").digestOf(content), blake: {
        var out: [64]u8 = undefined;
        digests.blake2b.?.final(&out);
        break :blake out;
    });
}

test "small files have a limit, links are not followed" {
    var tmp = std.testing.tmpDir(.{});
    defer tmp.cleanup();
    const io = std.testing.io;
    try tmp.dir.writeFile(io, .{ .sub_path = "f", .data = "x" ** 5000 });
    try tmp.dir.symLink(io, "f", "link", .{});
    var arena: std.heap.ArenaAllocator = .init(std.testing.allocator);
    defer arena.deinit();
    try std.testing.expectEqual(5000, (try readSmall(arena.allocator(), io, tmp.dir, "f", 5000)).len);
    try std.testing.expectError(error.FileTooBig, readSmall(arena.allocator(), io, tmp.dir, "f", 4999));
    try std.testing.expectError(error.SymLinkLoop, readSmall(arena.allocator(), io, tmp.dir, "link", 5000));
    try std.testing.expectError(error.FileNotFound, readSmall(arena.allocator(), io, tmp.dir, "none", 5000));
}
