using System.Text;
using Bascule.Core.Config.Sharing;

namespace Bascule.Core.Tests.Config.Sharing;

public sealed class SharingWireTests
{
    private static readonly ConfigurationVersion Version = new([new('a', 64)], "virtualServers: {}\n", DateTimeOffset.UnixEpoch, "director-1", "reload");

    [Fact]
    public void A_question_arrives_as_it_was_asked()
    {
        SharingQuestion? read = SharingWire.Question(SharingWire.Bytes(new SharingQuestion(SharingWord.Propose, Version)));

        Assert.Equal((SharingWord.Propose, Version.Id, Version.Text, Version.At), (read!.Word, read.Version!.Id, read.Version.Text, read.Version.At));
    }

    [Fact]
    public void An_answer_arrives_as_it_was_given()
    {
        SharingAnswer? read = SharingWire.Answer(SharingWire.Bytes(new SharingAnswer(SharingReply.Refused, null, [Version.Id], ["no"])));

        Assert.Equal(SharingReply.Refused, read!.Reply);
        Assert.Equal(["no"], read.Problems.ToArray());
        Assert.Equal([Version.Id], read.Ancestors.ToArray());
    }

    [Theory]
    [InlineData("")]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("""{"word":"propose","version":null}""")]
    [InlineData("""{"word":"Propose","version":{"parents":null,"text":"","at":"2026-01-01T00:00:00Z","by":"a","why":"b"}}""")]
    [InlineData("""{"word":"Propose","version":{"parents":["../../etc"],"text":"","at":"2026-01-01T00:00:00Z","by":"a","why":"b"}}""")]
    [InlineData("""{"word":"Propose","version":{"parents":[],"text":null,"at":"2026-01-01T00:00:00Z","by":"a","why":"b"}}""")]
    [InlineData("""{"word":"Propose","version":{"parents":[],"text":"","at":"2026-01-01T00:00:00Z","by":"a\nb","why":"b"}}""")]
    public void What_is_no_question_is_none(string text) => Assert.Null(SharingWire.Question(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"reply":"Told","version":null,"ancestors":null,"problems":null}""")]
    public void What_is_no_answer_is_none(string text) => Assert.Null(SharingWire.Answer(Encoding.UTF8.GetBytes(text)));
}
