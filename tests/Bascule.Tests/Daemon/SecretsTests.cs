using Bascule.Core.Model;
using Bascule.Daemon;

namespace Bascule.Tests.Daemon;

public sealed class SecretsTests : IDisposable
{
    private const string Hex = "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";

    private static readonly byte[] Key = [.. Enumerable.Range(0, 32).Select(i => (byte)i)];

    private readonly string _folder = Directory.CreateTempSubdirectory("bascule-secrets-").FullName;

    [Fact]
    public void A_key_in_the_configuration_is_its_bytes()
    {
        Assert.Equal(Key, Secrets.TryRead(new GivenSecret(Hex), out string? whyNot));
        Assert.Null(whyNot);
    }

    [Fact]
    public void A_key_in_a_file_that_only_its_owner_may_read_is_its_bytes_without_the_line_s_end()
    {
        Assert.Equal(Key, Secrets.TryRead(Written(Hex + "\n", UnixFileMode.UserRead | UnixFileMode.UserWrite), out string? whyNot));
        Assert.Null(whyNot);
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.GroupWrite)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_key_that_others_may_read_or_write_is_refused(UnixFileMode others)
    {
        Assert.Null(Secrets.TryRead(Written(Hex, UnixFileMode.UserRead | UnixFileMode.UserWrite | others), out string? whyNot));

        Assert.Contains("chmod 600", whyNot, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("")]
    [InlineData("0011")]
    [InlineData("000102030405060708090a0b0c0d0e0fx")]
    [InlineData("000102030405060708090a0b0c0d0e0f0")]
    [InlineData("this is a pass phrase and not a key at all")]
    public void What_is_no_key_is_refused_without_being_shown(string text)
    {
        Assert.Null(Secrets.TryRead(new GivenSecret(text), out string? whyNot));

        Assert.Contains("hexadecimal digits", whyNot, StringComparison.Ordinal);
        Assert.True(text.Length == 0 || !whyNot!.Contains(text, StringComparison.Ordinal));
    }

    [Fact]
    public void A_file_that_is_not_there_comes_with_the_command_that_makes_it()
    {
        Assert.Null(Secrets.TryRead(new SecretFile(Path.Combine(_folder, "none")), out string? whyNot));

        Assert.Contains("openssl rand -hex 32", whyNot, StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_is_no_key()
    {
        Assert.Null(Secrets.TryRead(new SecretFile(_folder), out string? whyNot));

        Assert.Contains("a folder", whyNot, StringComparison.Ordinal);
    }

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private SecretFile Written(string text, UnixFileMode mode)
    {
        string path = Path.Combine(_folder, "ha.key");
        File.WriteAllText(path, text);
        File.SetUnixFileMode(path, mode);
        return new(path);
    }
}
