//! Releases that are made, signed and spoiled here, and what the check says of them.

const std = @import("std");
const checks = @import("check.zig");
const comments = @import("comment.zig");
const key_file = @import("key.zig");
const signatures = @import("signature.zig");
const Report = @import("report.zig").Report;
const Ed25519 = std.crypto.sign.Ed25519;
const io = std.testing.io;

const World = struct {
    arena: std.heap.ArenaAllocator,
    tmp: std.testing.TmpDir,
    pair: Ed25519.KeyPair,
    key: key_file.PublicKey,
    said: std.Io.Writer.Allocating,

    /// A good release: two binaries with their companions, and a document that is signed by itself.
    fn init() !World {
        const pair = try Ed25519.KeyPair.generateDeterministic(@splat(7));
        var world: World = .{
            .arena = .init(std.testing.allocator),
            .tmp = std.testing.tmpDir(.{ .iterate = true }),
            .pair = pair,
            .key = .{ .id = "12345678".*, .ed25519 = pair.public_key },
            .said = .init(std.testing.allocator),
        };
        errdefer world.deinit();
        for ([_][]const u8{ "x86_64", "armv6l" }) |target| {
            try world.tmp.dir.createDirPath(io, target);
            const path = try world.print("{s}/tool", .{target});
            try world.write(path, target);
            try world.signOwn(path);
            try world.write(try world.print("{s}.sha256", .{path}), try world.sumLine(path, "tool"));
        }
        try world.write("release.json", "{}\n");
        try world.signOwn("release.json");
        const plain = (try pair.sign("{}\n", null)).toBytes();
        try world.write("release.json.sig", &plain);
        try world.writeSums(&.{ "armv6l/tool", "x86_64/tool" });
        return world;
    }

    fn deinit(self: *World) void {
        self.said.deinit();
        self.tmp.cleanup();
        self.arena.deinit();
    }

    fn print(self: *World, comptime format: []const u8, arguments: anytype) ![]const u8 {
        return std.fmt.allocPrint(self.arena.allocator(), format, arguments);
    }

    fn write(self: *World, path: []const u8, content: []const u8) !void {
        try self.tmp.dir.writeFile(io, .{ .sub_path = path, .data = content });
    }

    fn read(self: *World, path: []const u8) ![]const u8 {
        return self.tmp.dir.readFileAlloc(io, path, self.arena.allocator(), .limited(1 << 22));
    }

    fn sumLine(self: *World, path: []const u8, name: []const u8) ![]const u8 {
        var digest: [32]u8 = undefined;
        std.crypto.hash.sha2.Sha256.hash(try self.read(path), &digest, .{});
        return self.print("{x}  {s}\n", .{ &digest, name });
    }

    fn writeSums(self: *World, paths: []const []const u8) !void {
        var text: []const u8 = "";
        for (paths) |path| text = try self.print("{s}{s}", .{ text, try self.sumLine(path, path) });
        try self.write("SHA256SUMS", text);
        try self.signOwn("SHA256SUMS");
    }

    /// As Pitlane signs it.
    fn signOwn(self: *World, path: []const u8) !void {
        try self.sign(path, try self.print("pitlane tool v1 file:_releases/v1/{s}", .{path}));
    }

    fn sign(self: *World, path: []const u8, trusted: []const u8) !void {
        const first = (try self.pair.sign(&signatures.digestOf(try self.read(path)), null)).toBytes();
        const second = (try self.pair.sign(try self.print("{s}{s}", .{ &first, trusted }), null)).toBytes();
        const blob = try self.print("ED{s}{s}", .{ &self.key.id, &first });
        try self.write(try self.print("{s}.minisig", .{path}), try self.print(
            "untrusted comment: none\n{b64}\ntrusted comment: {s}\n{b64}\n",
            .{ blob, trusted, &second },
        ));
    }

    fn verdict(self: *World, expected: ?comments.Release) !bool {
        self.said.clearRetainingCapacity();
        var report: Report = .{ .out = &self.said.writer };
        return checks.check(self.arena.allocator(), io, self.tmp.dir, self.key, expected, &report);
    }

    fn expectGood(self: *World) !void {
        if (try self.verdict(null)) return;
        std.debug.print("{s}", .{self.said.written()});
        return error.NotVerified;
    }

    fn expectBad(self: *World, line: []const u8) !void {
        try std.testing.expect(!try self.verdict(null));
        try self.expectSaid(line);
    }

    fn expectSaid(self: *World, line: []const u8) !void {
        if (std.mem.indexOf(u8, self.said.written(), line) != null) return;
        std.debug.print("not said: {s}\nbut: {s}", .{ line, self.said.written() });
        return error.NotSaid;
    }
};

test "a good release, each file said" {
    var world: World = try .init();
    defer world.deinit();
    try world.expectGood();
    for ([_][]const u8{
        "ok  SHA256SUMS  signed with 3837363534333231: tool v1\n",
        "ok  x86_64/tool  sha256 ",
        "ok  x86_64/tool.minisig  signature\n",
        "ok  x86_64/tool.sha256  digest\n",
        "ok  release.json  sha256 ca3d163bab055381827226140568f3bef7eaac187cebd76878e0b63e9e442356, signed by itself\n",
        "ok  release.json.sig  signature\n",
    }) |line| try world.expectSaid(line);
}

test "the expected release is compared exactly" {
    var world: World = try .init();
    defer world.deinit();
    try std.testing.expect(try world.verdict(try .fromText("tool@v1")));
    try std.testing.expect(!try world.verdict(try .fromText("tool@v1.0")));
    try world.expectSaid("BAD SHA256SUMS.minisig  signed for tool v1, not for tool v1.0\n");
    try std.testing.expect(!try world.verdict(try .fromText("tools@v1")));
}

test "altered, missing, too many" {
    var world: World = try .init();
    defer world.deinit();
    try world.write("x86_64/tool", "X86_64");
    try world.expectBad("BAD x86_64/tool  was altered: sha256 ");
    try world.expectSaid("BAD x86_64/tool.minisig  the signature does not fit the file\n");
    try world.expectSaid("BAD x86_64/tool.sha256  is not the digest of the file beside it\n");
    try world.expectSaid("ok  armv6l/tool  sha256 ");
    try world.write("x86_64/tool", "x86_64");
    try world.expectGood();

    try world.write("armv6l/extra", "");
    try world.expectBad("BAD armv6l/extra  is not listed in SHA256SUMS\n");
    try world.tmp.dir.deleteFile(io, "armv6l/extra");
    try world.tmp.dir.deleteFile(io, "armv6l/tool");
    try world.expectBad("BAD armv6l/tool  is missing\n");
    try world.expectSaid("BAD armv6l/tool.minisig  is not listed in SHA256SUMS\n");
    try world.tmp.dir.symLink(io, "../x86_64/tool", "armv6l/tool", .{});
    try world.expectBad("BAD armv6l/tool  is not a regular file\n");
}

test "companions of companions are files too many" {
    var world: World = try .init();
    defer world.deinit();
    inline for (.{ "x86_64/tool.minisig.sha256", "SHA256SUMS.minisig.sig", "x86_64/tool.sha256.sig", ".sig", "a.minisig" }) |path| {
        try world.write(path, "x");
        try world.expectBad("BAD " ++ path ++ "  is not listed in SHA256SUMS\n");
        try world.tmp.dir.deleteFile(io, path);
    }
    try world.signOwn("x86_64/tool.minisig");
    try world.expectBad("BAD x86_64/tool.minisig.minisig  is not listed in SHA256SUMS\n");
}

test "companions that lie" {
    var world: World = try .init();
    defer world.deinit();
    try world.write("x86_64/tool.sha256", try world.sumLine("x86_64/tool", "other"));
    try world.expectBad("BAD x86_64/tool.sha256  does not name the file beside it\n");
    try world.write("x86_64/tool.sha256", "");
    try world.expectBad("BAD x86_64/tool.sha256  lists no file\n");
    try world.write("x86_64/tool.sha256", try world.sumLine("x86_64/tool", "x86_64/tool"));
    try world.expectGood();
    try world.sign("x86_64/tool", "pitlane tool v0 file:_releases/v0/x86_64/tool");
    try world.expectBad("BAD x86_64/tool.minisig  signed for tool v0\n");
    try world.sign("x86_64/tool", "pitlane tool v1 file:_releases/v1/armv6l/tool");
    try world.expectBad("BAD x86_64/tool.minisig  signed under the name of another file\n");
    try world.sign("x86_64/tool", "pitlane tool v1 file:x86_64/tool");
    try world.expectGood();
    try world.write("release.json.sig", "short");
    try world.expectBad("BAD release.json.sig  cannot be read as an Ed25519 signature\n");
    try world.write("release.json.sig", &@as([64]u8, @splat(1)));
    try std.testing.expect(!try world.verdict(null));
    const plain = (try world.pair.sign("{}\n", null)).toBytes();
    try world.write("release.json.sig", try world.print("{b64}\n", .{&plain}));
    try world.expectGood();
    try world.write("release.json.sig", &(try world.pair.sign("{}", null)).toBytes());
    try world.expectBad("BAD release.json.sig  the signature does not fit the file\n");
}

test "nothing is believed of a list that is not signed for this" {
    var world: World = try .init();
    defer world.deinit();
    const good = try world.read("SHA256SUMS.minisig");
    try world.sign("SHA256SUMS", "timestamp:1 file:SHA256SUMS");
    try world.expectBad("BAD SHA256SUMS.minisig  the trusted comment is not of the form");
    try world.sign("SHA256SUMS", "pitlane tool v1 file:_releases/v1/release.json");
    try world.expectBad("BAD SHA256SUMS.minisig  signed under the name of another file\n");
    world.key.id[0] ^= 1;
    try world.signOwn("SHA256SUMS");
    world.key.id[0] ^= 1;
    try world.expectBad("BAD SHA256SUMS.minisig  signed with another key\n");
    try world.write("SHA256SUMS.minisig", good);
    try world.expectGood();
    try world.write("SHA256SUMS", try world.sumLine("x86_64/tool", "x86_64/tool"));
    try world.expectBad("BAD SHA256SUMS.minisig  the signature does not fit the file\n");
    try std.testing.expect(std.mem.indexOf(u8, world.said.written(), "ok  ") == null);
    try world.tmp.dir.deleteFile(io, "SHA256SUMS.minisig");
    try world.expectBad("BAD SHA256SUMS.minisig  is missing\n");
    try world.tmp.dir.deleteFile(io, "SHA256SUMS");
    try world.expectBad("BAD SHA256SUMS  is missing\n");
}

test "a signed list is still read with care" {
    var world: World = try .init();
    defer world.deinit();
    inline for (.{ "../up", "/etc/passwd", "a b" }) |path| {
        try world.write("SHA256SUMS", try world.sumLine("x86_64/tool", path));
        try world.signOwn("SHA256SUMS");
        try world.expectBad("BAD SHA256SUMS  line 1: the path is absolute, leaves the folder or has odd characters\n");
    }
    try world.write("SHA256SUMS", "x" ** (1024 * 1024 + 1));
    try world.signOwn("SHA256SUMS");
    try world.expectBad("BAD SHA256SUMS  cannot be read: FileTooBig\n");
}
